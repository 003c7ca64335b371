package io.github.hmm4j.device;

/// Something a device was asked to do, which will be done or will fail.
///
/// Threads: any number may wait. Owns its event and lets it go by itself once somebody has seen the end.
public interface Completion {

    /// A completion that is done from the start.
    Completion DONE = new Completion() {
        @Override
        public boolean isDone() {
            return true;
        }

        @Override
        public void await() {}
    };

    /// Whether it has ended, well or badly. Never waits.
    boolean isDone();

    /// Waits for the end. Returns at once, every time, after a good end.
    ///
    /// @throws io.github.hmm4j.error.HmmException if it failed; every later call throws the same
    void await();

    /// Whether it may still do what it was asked to, although [#await] has told of its failure: its device does not say how it ended. What it writes to must not be used until this is false.
    default boolean mayStillRun() {
        return false;
    }

    /// Time it took on the device in nanoseconds, or -1 while it runs and where the device does not say. Looks by itself whether it has ended, and never waits.
    default long deviceNanos() {
        return -1;
    }

    /// Its number among those that its device tells a timeline of; 0 if it tells none.
    default long command() {
        return 0;
    }
}
