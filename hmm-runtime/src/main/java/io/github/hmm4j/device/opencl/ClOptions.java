package io.github.hmm4j.device.opencl;

import java.util.Arrays;
import java.util.Objects;

/// How a device is opened.
///
/// @param copy      which copy engine moves pages; where this is [CopyMode#AUTO], `-Dhmm.copy=direct|staged|copy` decides, if set
/// @param profiling whether launches know from the first one on how long they took on the device, which costs a little on each. Where this is false they do from the first launch on after a
///                  flight recording has begun that wants commands, or a trace: [io.github.hmm4j.Launch#deviceNanos] is -1 before
/// @param copyTimes whether copies do, too; a sparse batch has hundreds of commands, and asking each for its times costs
/// @param scatter   how pages that lie apart are carried; where this is [ScatterMode#AUTO], `-Dhmm.scatter=kernel|commands` decides, if set
/// @param inPlace   how kernels get host pages that they use in place; where this is [InPlaceMode#AUTO], `-Dhmm.inPlace=wrapped|address|buffer` decides, if set
/// @param programs  where compiled programs are kept
/// @param largeBuffers whether single allocations may be larger than the driver says, up to all of the memory, where it gives such: Intel's for GPUs, whose kernels are slower for it.
///                  `-Dhmm.largeBuffers=true` asks for it, too
public record ClOptions(CopyMode copy, boolean profiling, boolean copyTimes, ScatterMode scatter, InPlaceMode inPlace, ProgramCache programs, boolean largeBuffers) {

    public static final ClOptions DEFAULTS = new ClOptions(CopyMode.AUTO, false, false, ScatterMode.AUTO, InPlaceMode.AUTO, ProgramCache.STANDARD, false);

    private static final String COPY_SETTING = "hmm.copy";
    private static final String SCATTER_SETTING = "hmm.scatter";
    private static final String IN_PLACE_SETTING = "hmm.inPlace";
    private static final String LARGE_BUFFERS_SETTING = "hmm.largeBuffers";

    public ClOptions {
        Objects.requireNonNull(copy, "copy");
        Objects.requireNonNull(scatter, "scatter");
        Objects.requireNonNull(inPlace, "inPlace");
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

    /// How kernels are to get host pages, said by the program or else by the command line.
    ///
    /// @throws IllegalArgumentException if the command line names a way that there is not
    InPlaceMode inPlaceAsked() {
        String setting = System.getProperty(IN_PLACE_SETTING);
        return inPlace == InPlaceMode.AUTO && setting != null ? InPlaceMode.of(setting) : inPlace;
    }

    boolean largeBuffersAsked() {
        return largeBuffers || Boolean.getBoolean(LARGE_BUFFERS_SETTING);
    }

    public ClOptions copy(CopyMode mode) {
        return new ClOptions(mode, profiling, copyTimes, scatter, inPlace, programs, largeBuffers);
    }

    public ClOptions profiling(boolean on) {
        return new ClOptions(copy, on, copyTimes, scatter, inPlace, programs, largeBuffers);
    }

    public ClOptions copyTimes(boolean on) {
        return new ClOptions(copy, profiling, on, scatter, inPlace, programs, largeBuffers);
    }

    public ClOptions scatter(ScatterMode mode) {
        return new ClOptions(copy, profiling, copyTimes, mode, inPlace, programs, largeBuffers);
    }

    public ClOptions inPlace(InPlaceMode mode) {
        return new ClOptions(copy, profiling, copyTimes, scatter, mode, programs, largeBuffers);
    }

    public ClOptions programs(ProgramCache cache) {
        return new ClOptions(copy, profiling, copyTimes, scatter, inPlace, cache, largeBuffers);
    }

    public ClOptions largeBuffers(boolean on) {
        return new ClOptions(copy, profiling, copyTimes, scatter, inPlace, programs, on);
    }

    /// The choice of that name, as its [Enum#toString()] writes it.
    ///
    /// @param option whose value the name is
    /// @throws IllegalArgumentException if there is none
    static <E extends Enum<E>> E choice(String option, E[] all, String name) {
        return Arrays.stream(all).filter(choice -> choice.toString().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException(option + "=" + name + ", must be one of " + Arrays.toString(all)));
    }
}
