package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.NoDeviceException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/// What to tell a user whose machine has no OpenCL.
public final class ClAdvice {

    private static final String INSTALL =
            "install a driver: that of your GPU's vendor, or for the CPU on Debian and Ubuntu: "
                    + "apt-get install pocl-opencl-icd ocl-icd-libopencl1";

    private ClAdvice() {}

    /// A binding was asked for that is not on the class path.
    public static NoDeviceException noBinding(ClBinding binding) {
        String others = Arrays.stream(ClBinding.values()).filter(ClBinding::isPresent).map(ClBinding::toString).collect(Collectors.joining(", "));
        return new NoDeviceException("binding=" + binding + " is not on the class path: add " + binding.artifacts()
                + (others.isEmpty() ? "" : ", or ask for what is there: " + others));
    }

    /// No binding is on the class path.
    static NoDeviceException noBinding() {
        return new NoDeviceException("no library that calls OpenCL is on the class path: add " + Arrays.stream(ClBinding.values())
                .map(binding -> binding.artifacts() + " (" + binding + ")").collect(Collectors.joining(", or ")));
    }

    /// There is no OpenCL library, or the binding cannot load it.
    public static NoDeviceException noLibrary(ClBinding binding, Throwable cause) {
        var e = new NoDeviceException(
                "OpenCL cannot be loaded: binding=%s, cause=%s; %s".formatted(binding, cause, INSTALL));
        e.addSuppressed(cause);
        return e;
    }

    /// There is a library, and no device behind it that can be used.
    ///
    /// @param ignored what was found ([ClPlatforms#survey])
    public static NoDeviceException noDevice(ClBinding binding, List<ClPlatforms.Ignored> ignored) {
        if (ignored.isEmpty()) {
            return new NoDeviceException("no OpenCL platform: binding=%s; %s; check with clinfo -l and the files in /etc/OpenCL/vendors".formatted(binding, INSTALL));
        }
        StringBuilder text = new StringBuilder("no OpenCL device that can be used: binding=").append(binding);
        for (ClPlatforms.Ignored one : ignored) {
            text.append("; platform=").append(one.platform()).append(one.device().isEmpty() ? "" : ", device=" + one.device()).append(": ").append(one.why());
        }
        boolean pocl = ignored.stream().anyMatch(one -> one.platform().equals(PoclCache.PLATFORM));
        return new NoDeviceException(text.append(pocl ? PoclCache.problem(System.getenv()).map(problem -> "; " + problem).orElse("") : "").append("; check with clinfo -l").toString());
    }
}
