package io.github.hmm4j.device.opencl;

import java.util.Objects;

/// How a device is opened.
///
/// @param copy      which copy engine moves pages; where this is [CopyMode#AUTO], `-Dhmm.copy=direct|staged|copy` decides, if set
/// @param profiling whether launches know from the first one on how long they took on the device, which costs a little on each. Where this is false they do from the first launch on after a
///                  flight recording has begun that wants commands, or a trace: [io.github.hmm4j.Launch#deviceNanos] is -1 before
/// @param copyTimes whether copies do, too; a sparse batch has hundreds of commands, and asking each for its times costs
/// @param scatter   how pages that lie apart are carried; where this is [ScatterMode#AUTO], `-Dhmm.scatter=kernel|commands` decides, if set
/// @param programs  where compiled programs are kept
public record ClOptions(CopyMode copy, boolean profiling, boolean copyTimes, ScatterMode scatter, ProgramCache programs) {

    public static final ClOptions DEFAULTS = new ClOptions(CopyMode.AUTO, false, false, ScatterMode.AUTO, ProgramCache.STANDARD);

    private static final String COPY_SETTING = "hmm.copy";
    private static final String SCATTER_SETTING = "hmm.scatter";

    public ClOptions {
        Objects.requireNonNull(copy, "copy");
        Objects.requireNonNull(scatter, "scatter");
        Objects.requireNonNull(programs, "programs");
    }

    /// The copy engine that is asked for, by the program or else by the command line.
    ///
    /// @throws IllegalArgumentException if the command line names one that there is not
    CopyMode copyAsked() {
        String setting = System.getProperty(COPY_SETTING);
        return copy == CopyMode.AUTO && setting != null ? CopyMode.of(setting) : copy;
    }

    /// How pages that lie apart are to be carried, said by the program or else by the command line.
    ///
    /// @throws IllegalArgumentException if the command line names a way that there is not
    ScatterMode scatterAsked() {
        String setting = System.getProperty(SCATTER_SETTING);
        return scatter == ScatterMode.AUTO && setting != null ? ScatterMode.of(setting) : scatter;
    }

    public ClOptions copy(CopyMode mode) {
        return new ClOptions(mode, profiling, copyTimes, scatter, programs);
    }

    public ClOptions profiling(boolean on) {
        return new ClOptions(copy, on, copyTimes, scatter, programs);
    }

    public ClOptions copyTimes(boolean on) {
        return new ClOptions(copy, profiling, on, scatter, programs);
    }

    public ClOptions scatter(ScatterMode mode) {
        return new ClOptions(copy, profiling, copyTimes, mode, programs);
    }

    public ClOptions programs(ProgramCache cache) {
        return new ClOptions(copy, profiling, copyTimes, scatter, cache);
    }
}
