package io.github.hmm4j.policy;

/// Says how many pages come along with those that a kernel has missed on its device ([io.github.hmm4j.Arg#heap]).
///
/// Only frames that are free are taken for them: nothing is evicted, and nobody waits. Asked in the middle of a launch, so of its own heap it may call only what looks.
///
/// Where kernels fault ([io.github.hmm4j.HmmBuilder#deviceFaults()]) no Java code can be asked in the middle of one: there a fault that begins where an earlier one has ended brings twice as many
/// pages each time, and of this only [#mostPages()] is heard.
///
/// Threads: asked by one thread for each device at a time. May throw: then nothing comes along.
@FunctionalInterface
public interface AheadPolicy {

    /// Nothing comes along.
    AheadPolicy NOTHING = new AheadPolicy() {
        @Override
        public Watch watch() {
            return (_, _) -> 0;
        }

        @Override
        public long mostPages() {
            return 0;
        }
    };

    /// What is remembered of one range of one launch.
    Watch watch();

    /// No more come along with one fault, whatever else is said. Asked once, when the heap opens.
    default long mostPages() {
        return Long.MAX_VALUE;
    }

    /// Sees what one launch misses in one of its ranges, round by round, and in each in order of pages.
    @FunctionalInterface
    interface Watch {

        /// How many pages behind the last are to come as well; fewer may, at the end of the range or where no frame is free.
        ///
        /// @param first  page of the heap, missed together with all up to `end`
        long pagesBehind(long first, long end);

        /// The round is over: what is missed from here on is missed later.
        default void endRound() {}
    }
}
