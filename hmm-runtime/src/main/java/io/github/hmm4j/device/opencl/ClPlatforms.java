package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceInfo.Kind;
import io.github.hmm4j.device.DeviceInfo.Svm;
import io.github.hmm4j.error.HmmException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds the devices of all platforms.
public final class ClPlatforms {

    private static final Logger LOG = LoggerFactory.getLogger(ClPlatforms.class);
    private static final int NEEDED_VERSION = 12;
    private static final Pattern VERSION = Pattern.compile("OpenCL (\\d+)\\.(\\d+).*");
    /// The bits of `CL_DEVICE_SVM_CAPABILITIES`.
    private static final Map<Long, Svm> SVM_BITS = Map.of(
            1L, Svm.COARSE_GRAIN_BUFFER, 2L, Svm.FINE_GRAIN_BUFFER, 4L, Svm.FINE_GRAIN_SYSTEM, 8L, Svm.ATOMICS);

    private ClPlatforms() {}

    /// What was found.
    ///
    /// @param usable  available, with a compiler, OpenCL 1.2 or later; in the order of the drivers
    /// @param ignored all else
    public record Survey(List<ClDeviceId> usable, List<Ignored> ignored) {
        public Survey {
            usable = List.copyOf(usable);
            ignored = List.copyOf(ignored);
        }
    }

    /// A device that cannot be used, or a whole platform.
    ///
    /// @param platform its name, or what stands for it if it does not say
    /// @param device   its name; empty for a whole platform
    public record Ignored(String platform, String device, String why) {}

    /// Every device that can be used; none is an empty list ([ClAdvice#noDevice]).
    public static List<ClDeviceId> devices(ClApi api) {
        return survey(api).usable();
    }

    /// Looks at all devices of all platforms. One that fails does not hide the others.
    ///
    /// One thread at a time: drivers set themselves up in the first of these calls, and POCL, when asked by two threads at once,
    /// says that it has no device, or gives one out whose name is still null.
    public static synchronized Survey survey(ClApi api) {
        var usable = new ArrayList<ClDeviceId>();
        var ignored = new ArrayList<Ignored>();
        for (long platform : api.platforms()) {
            String name = nameOr("a platform without a name", () -> api.platformText(platform, Cl.PLATFORM_NAME));
            try {
                long[] devices = api.devices(platform);
                if (devices.length == 0) {
                    ignored.add(new Ignored(name, "", "it has no device"));
                }
                for (long device : devices) {
                    look(api, platform, device, name, usable, ignored);
                }
            } catch (HmmException e) {
                LOG.warn("a platform does not list its devices: platform={}, {}", name, e.getMessage());
                ignored.add(new Ignored(name, "", String.valueOf(e.getMessage())));
            }
        }
        ignored.forEach(one -> LOG.info("ignored: platform={}, device={}, {}", one.platform(), one.device(), one.why()));
        return new Survey(usable, ignored);
    }

    private static void look(ClApi api, long platform, long device, String platformName, List<ClDeviceId> usable,
            List<Ignored> ignored) {
        try {
            String problem = problem(api, device);
            if (problem.isEmpty()) {
                usable.add(identify(api, platform, device));
            } else {
                ignored.add(new Ignored(platformName, api.deviceText(device, Cl.DEVICE_NAME), problem));
            }
        } catch (HmmException e) {
            String name = nameOr("a device without a name", () -> api.deviceText(device, Cl.DEVICE_NAME));
            LOG.warn("a device does not say what it is: platform={}, device={}, {}", platformName, name,
                    e.getMessage());
            ignored.add(new Ignored(platformName, name, String.valueOf(e.getMessage())));
        }
    }

    private static String nameOr(String unknown, Supplier<String> name) {
        try {
            return name.get();
        } catch (HmmException _) {
            return unknown;
        }
    }

    /// A device that the application found by itself.
    ///
    /// @param device a `cl_device_id` of the library under `api`
    public static ClDeviceId device(ClApi api, long device) {
        return identify(api, api.deviceNumber(device, Cl.DEVICE_PLATFORM), device);
    }

    /// Why a device cannot be used; empty if it can.
    private static String problem(ClApi api, long device) {
        String version = api.deviceText(device, Cl.DEVICE_VERSION);
        if (version(version) < NEEDED_VERSION) {
            return "needs OpenCL 1.2, has " + version;
        }
        if (api.deviceNumber(device, Cl.DEVICE_AVAILABLE) == 0) {
            return "the driver says that it is not available";
        }
        return api.deviceNumber(device, Cl.DEVICE_COMPILER_AVAILABLE) == 0 ? "its driver has no compiler" : "";
    }

    private static ClDeviceId identify(ClApi api, long platform, long device) {
        String platformName = api.platformText(platform, Cl.PLATFORM_NAME);
        String driver = api.platformText(platform, Cl.PLATFORM_VERSION) + ", driver "
                + api.deviceText(device, Cl.DRIVER_VERSION);
        Kind kind = kind(api.deviceNumber(device, Cl.DEVICE_TYPE));
        var info = new DeviceInfo(
                api.deviceText(device, Cl.DEVICE_NAME),
                api.deviceText(device, Cl.DEVICE_VENDOR),
                driver,
                api.binding().toString(),
                kind,
                api.deviceNumber(device, Cl.DEVICE_GLOBAL_MEM_SIZE),
                api.deviceNumber(device, Cl.DEVICE_MAX_MEM_ALLOC_SIZE),
                Math.toIntExact(Math.max(1, api.deviceNumber(device, Cl.DEVICE_MEM_BASE_ADDR_ALIGN) / Byte.SIZE)),
                (int) Math.min(Integer.MAX_VALUE, api.deviceNumber(device, Cl.DEVICE_MAX_WORK_GROUP_SIZE)),
                Math.toIntExact(api.deviceNumber(device, Cl.DEVICE_MAX_COMPUTE_UNITS)),
                api.deviceNumber(device, Cl.DEVICE_LOCAL_MEM_SIZE),
                kind == Kind.CPU || ClHardware.isUnified(api, device),
                version(api.deviceText(device, Cl.DEVICE_VERSION)) >= 20 ? svm(api.deviceNumber(device, Cl.DEVICE_SVM_CAPABILITIES)) : Set.of());
        return new ClDeviceId(platform, device, platformName, ClHardware.of(api, platform, device), info);
    }

    private static Kind kind(long type) {
        if ((type & Cl.DEVICE_TYPE_GPU) != 0) {
            return Kind.GPU;
        }
        if ((type & Cl.DEVICE_TYPE_CPU) != 0) {
            return Kind.CPU;
        }
        return (type & Cl.DEVICE_TYPE_ACCELERATOR) != 0 ? Kind.ACCELERATOR : Kind.OTHER;
    }

    private static Set<Svm> svm(long capabilities) {
        var svm = EnumSet.noneOf(Svm.class);
        SVM_BITS.forEach((bit, kind) -> {
            if ((capabilities & bit) != 0) {
                svm.add(kind);
            }
        });
        return svm;
    }

    /// Ten times the version of a platform or a device, such as 12 for `OpenCL 1.2 ...`; 0 if the text does not follow the specification.
    static int version(String text) {
        Matcher version = VERSION.matcher(text);
        return version.matches() ? 10 * Integer.parseInt(version.group(1)) + Integer.parseInt(version.group(2)) : 0;
    }
}
