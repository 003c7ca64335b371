package io.github.hmm4j.policy;

/// Says which frames of a full device are given up first.
///
/// Asked in the middle of a launch or prefetch, whose frames are half assigned. So of its own heap it may call only
/// what looks: to launch, to move pages, to open views, or to allocate and free
/// throws an [IllegalStateException].
///
/// Where kernels fault ([io.github.hmm4j.HmmBuilder#deviceFaults()]) pages make room in the middle of a kernel, where no Java code can be asked. There a policy that was chosen
/// ([io.github.hmm4j.HmmBuilder#eviction]) is asked before each launch, and every few milliseconds while one runs, for a quarter of the pages that are there; these go first, then those that came first.
///
/// Threads: asked by one thread at a time for each device, with the device's lock held unless its kernels fault. May throw: then the device
/// falls back to the order of its frames.
@FunctionalInterface
public interface EvictionPolicy {

    /// Orders candidates, best victim first.
    ///
    /// @param framesNeeded how many must go; more may be named, fewer only if there are fewer
    /// @return indexes into `candidates`, each at most once
    int[] victims(Candidates candidates, int framesNeeded);

    /// How many frames it wants to see: those that have not been used for longest, in that order. All, unless it says otherwise, which takes time and memory on a device with millions of frames. Who asks for some of more than
    /// 16,384 sees such as are among the oldest sixteenth, or among twice as many as it asks for, as far as a sample tells.
    ///
    /// @param framesNeeded how many must go; it sees at least so many, if there are so many
    default int shown(int framesNeeded) {
        return Integer.MAX_VALUE;
    }
}
