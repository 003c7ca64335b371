package io.github.hmm4j.demos.devices;

import io.github.hmm4j.demos.harness.DeviceReport.Offer;
import io.github.hmm4j.demos.harness.DeviceReport.SharedMemory;
import io.github.hmm4j.device.DeviceInfo.Svm;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.error.HmmException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Asks a driver what else of a device matters here, and puts bits into words.
final class DeviceOffer {
    private static final int PLATFORM_EXTENSIONS = 0x0904;
    private static final int DEVICE_PROFILING_TIMER_RESOLUTION = 0x1025;
    private static final int DEVICE_QUEUE_PROPERTIES = 0x102A;
    private static final long QUEUE_OUT_OF_ORDER = 1;
    private static final long QUEUE_PROFILING = 1 << 1;
    private static final int DEVICE_VERSION = 0x102F;
    private static final int DEVICE_EXTENSIONS = 0x1030;
    private static final int DEVICE_OPENCL_C_VERSION = 0x103D;
    private static final int DEVICE_ATOMIC_MEMORY_CAPABILITIES = 0x1063;
    private static final int DEVICE_OPENCL_C_ALL_VERSIONS = 0x1066;
    private static final int DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE = 0x1067;

    /// `cl_name_version`: a version in 10, 10 and 12 bits, and a name.
    private static final int NAME_VERSION_BYTES = 68;
    private static final Pattern VERSION = Pattern.compile("OpenCL (?:C )?(\\d+)\\.(\\d+).*");
    private static final int OPENCL_2_0 = 20;
    private static final int OPENCL_3_0 = 30;

    private DeviceOffer() {}

    /// @throws io.github.hmm4j.error.HmmException if the driver does not answer
    static Offer of(ClApi api, ClDeviceId id) {
        long device = id.device();
        Set<Svm> svm = id.info().svm();
        String version = version(api.deviceText(device, DEVICE_VERSION));
        int number = Integer.parseInt(version.replace(".", ""));
        long queues = api.deviceNumber(device, DEVICE_QUEUE_PROPERTIES);
        Set<String> extensions = new TreeSet<>(words(api.deviceText(device, DEVICE_EXTENSIONS)));
        extensions.addAll(words(api.platformText(id.platform(), PLATFORM_EXTENSIONS)));
        return new Offer(version,
            number >= OPENCL_3_0 ? versions(api.deviceBytes(device, DEVICE_OPENCL_C_ALL_VERSIONS))
                : List.of(version(api.deviceText(device, DEVICE_OPENCL_C_VERSION))),
            sharedMemory(svm),
            number >= OPENCL_3_0 ? atomics(api.deviceNumber(device, DEVICE_ATOMIC_MEMORY_CAPABILITIES))
                : atomicsBeforeOpenCl3(number, svm),
            (queues & QUEUE_OUT_OF_ORDER) != 0, (queues & QUEUE_PROFILING) != 0,
            api.deviceNumber(device, DEVICE_PROFILING_TIMER_RESOLUTION), Extensions.that(extensions),
            said(id.hardware().uuid()), said(id.hardware().pciAddress()));
    }

    /// What drivers say of a device since OpenCL 3.0, and before of each kernel only.
    static Optional<Long> preferredMultiple(ClApi api, ClDeviceId id) {
        try {
            return Optional.of(api.deviceNumber(id.device(), DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE))
                .filter(multiple -> multiple > 0);
        } catch (HmmException _) {
            return Optional.empty();
        }
    }

    static List<SharedMemory> sharedMemory(Set<Svm> svm) {
        return List.of(
            new SharedMemory("coarse-grained buffer", svm.contains(Svm.COARSE_GRAIN_BUFFER),
                "host and kernels have the same addresses and take turns: the host maps before it touches, and unmaps"),
            new SharedMemory("fine-grained buffer", svm.contains(Svm.FINE_GRAIN_BUFFER),
                "host and kernels use it at the same time, on different bytes; each sees what the other did once the kernel has ended"),
            new SharedMemory("fine-grained system", svm.contains(Svm.FINE_GRAIN_SYSTEM),
                "the same for any memory of the process: kernels take any pointer"),
            new SharedMemory("atomics", svm.contains(Svm.ATOMICS),
                "host and kernels see each other's atomic updates while a kernel runs"));
    }

    /// The bits of `cl_device_atomic_capabilities` for memory.
    static String atomics(long capabilities) {
        List<String> orders = named(capabilities, 0, "relaxed", "acquire/release", "sequentially consistent");
        List<String> scopes = named(capabilities, 3, "work-item", "work-group", "device", "all devices and the host");
        return (orders.isEmpty() ? "none" : String.join(", ", orders))
            + (scopes.isEmpty() ? "" : "; scope up to " + scopes.getLast());
    }

    /// OpenCL 2.x must have all of them, the widest scope only with atomics on shared memory; earlier versions know one kind.
    static String atomicsBeforeOpenCl3(int version, Set<Svm> svm) {
        if (version < OPENCL_2_0) {
            return "relaxed; scope up to device";
        }
        return "relaxed, acquire/release, sequentially consistent; scope up to "
            + (svm.contains(Svm.ATOMICS) ? "all devices and the host" : "device");
    }

    private static List<String> named(long bits, int firstBit, String... names) {
        List<String> set = new ArrayList<>();
        for (int i = 0; i < names.length; i++) {
            if ((bits >> (firstBit + i) & 1) != 0) {
                set.add(names[i]);
            }
        }
        return set;
    }

    /// `2.0` of `OpenCL 2.0 AMD-APP` or `OpenCL C 2.0`; `0.0` of anything else.
    private static String version(String text) {
        Matcher version = VERSION.matcher(text);
        return version.matches() ? version.group(1) + "." + version.group(2) : "0.0";
    }

    /// The versions in an array of `cl_name_version`.
    static List<String> versions(byte[] namesAndVersions) {
        ByteBuffer each = ByteBuffer.wrap(namesAndVersions).order(ByteOrder.nativeOrder());
        List<String> versions = new ArrayList<>();
        for (int at = 0; at + NAME_VERSION_BYTES <= namesAndVersions.length; at += NAME_VERSION_BYTES) {
            int version = each.getInt(at);
            versions.add((version >>> 22) + "." + (version >>> 12 & 0x3FF));
        }
        return versions;
    }

    private static Optional<String> said(String text) {
        return Optional.of(text).filter(each -> !each.isEmpty());
    }

    private static List<String> words(String text) {
        return List.of(text.strip().split("\\s+"));
    }
}
