package io.github.hmm4j.migrate;

import java.util.concurrent.locks.LockSupport;

/// Waiting for somebody else's claim to end: a short spin, then naps that grow to a millisecond. Used by one thread, for one wait.
final class Backoff {

    private static final int SPINS = 64;
    private static final long MAX_NAP_NANOS = 1_000_000;

    private int spins;
    private long napNanos = 10_000;

    void pause() {
        if (spins++ < SPINS) {
            Thread.onSpinWait();
            return;
        }
        LockSupport.parkNanos(napNanos);
        napNanos = Math.min(napNanos * 2, MAX_NAP_NANOS);
    }
}
