package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.NoDeviceException;
import java.util.Arrays;
import java.util.Locale;

/// The libraries that OpenCL calls can go through. A program needs one of them on its class path.
public enum ClBinding {
    LWJGL("org.lwjgl:lwjgl, org.lwjgl:lwjgl-opencl and, for this platform, natives of org.lwjgl:lwjgl",
            "org.lwjgl.opencl.CL10"),
    JOCL("org.jocl:jocl", "org.jocl.CL");

    private final String artifacts;
    private final String className;

    ClBinding(String artifacts, String className) {
        this.artifacts = artifacts;
        this.className = className;
    }

    /// What a build has to name to have it.
    String artifacts() {
        return artifacts;
    }

    /// Whether its classes are there. Its native part and the OpenCL library are not looked for.
    public boolean isPresent() {
        try {
            // not initialised, which would load the native part
            Class.forName(className, false, ClBinding.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException _) {
            return false;
        }
    }

    /// LWJGL if it is there, else JOCL.
    ///
    /// @throws NoDeviceException if neither is; says what to add
    public static ClBinding firstPresent() {
        return Arrays.stream(values()).filter(ClBinding::isPresent).findFirst().orElseThrow(ClAdvice::noBinding);
    }

    /// The binding called `name`, as [#toString()] writes it.
    ///
    /// @throws IllegalArgumentException if there is none
    public static ClBinding of(String name) {
        return Arrays.stream(values())
                .filter(binding -> binding.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "binding=" + name + ", must be one of " + Arrays.toString(values())));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
