package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceInfo.Kind;
import io.github.hmm4j.device.DeviceInfo.Svm;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds the devices of all platforms.
public final class ClPlatforms {

    private static final Logger LOG = LoggerFactory.getLogger(ClPlatforms.class);
    private static final Pattern VERSION = Pattern.compile("OpenCL (\\d+)\\.(\\d+).*");
    /// The bits of `CL_DEVICE_SVM_CAPABILITIES`.
    private static final Map<Long, Svm> SVM_BITS = Map.of(
            1L, Svm.COARSE_GRAIN_BUFFER, 2L, Svm.FINE_GRAIN_BUFFER, 4L, Svm.FINE_GRAIN_SYSTEM, 8L, Svm.ATOMICS);

    private ClPlatforms() {}

    /// Every device that can be used: available, with a compiler, OpenCL 1.2 or later. In the order of the driver; none
    /// is an empty list ([ClAdvice#noDevice]).
    public static List<ClDeviceId> devices(ClApi api) {
        var found = new ArrayList<ClDeviceId>();
        for (long platform : api.platforms()) {
            for (long device : api.devices(platform)) {
                if (isUsable(api, device)) {
                    found.add(identify(api, platform, device));
                } else {
                    LOG.info("ignored: device={}, needs OpenCL 1.2 and a compiler",
                            api.deviceText(device, Cl.DEVICE_NAME));
                }
            }
        }
        return List.copyOf(found);
    }

    /// A device that the application found by itself.
    ///
    /// @param device a `cl_device_id` of the library under `api`
    public static ClDeviceId device(ClApi api, long device) {
        return identify(api, api.deviceNumber(device, Cl.DEVICE_PLATFORM), device);
    }

    private static boolean isUsable(ClApi api, long device) {
        return version(api.deviceText(device, Cl.DEVICE_VERSION)) >= 12
                && api.deviceNumber(device, Cl.DEVICE_AVAILABLE) != 0
                && api.deviceNumber(device, Cl.DEVICE_COMPILER_AVAILABLE) != 0;
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
                kind == Kind.CPU || api.deviceNumber(device, Cl.DEVICE_HOST_UNIFIED_MEMORY) != 0,
                false,
                version(api.deviceText(device, Cl.DEVICE_VERSION)) >= 20 ? svm(api.deviceNumber(device, Cl.DEVICE_SVM_CAPABILITIES)) : Set.of());
        return new ClDeviceId(platform, device, platformName, info);
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
