package io.github.hmm4j.device.opencl;

import java.util.Locale;

/// How pages that lie apart are carried where copies go through staging memory.
public enum ScatterMode {
    /// By a kernel where a short test finds that this costs less, and no other kernel has the device; else by a command for each piece.
    AUTO,
    /// By a kernel wherever there is more than one piece, whatever it costs, if the device copies right that way.
    KERNEL,
    /// By a command for each piece.
    COMMANDS;

    /// The mode called `name`, as [#toString()] writes it.
    ///
    /// @throws IllegalArgumentException if there is none
    public static ScatterMode of(String name) {
        return ClOptions.choice("scatter", values(), name);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
