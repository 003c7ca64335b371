package io.github.hmm4j.migrate;

import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;

/// Waiting for somebody else's claim to end: a short spin, then naps that grow to a millisecond. Used by one thread,
/// for one wait. An interrupted thread naps as well, and stays interrupted: what it waits for is short, and its caller
/// could not be told.
final class Backoff {

    private static final int SPINS = 64;
    private static final long MAX_NAP_NANOS = 1_000_000;

    private final LongConsumer nap;
    private int spins;
    private long napNanos = 10_000;

    Backoff() {
        this(LockSupport::parkNanos);
    }

    /// For tests: `nap` is given nanoseconds.
    Backoff(LongConsumer nap) {
        this.nap = nap;
    }

    void pause() {
        if (spins++ < SPINS) {
            Thread.onSpinWait();
            return;
        }
        boolean interrupted = Thread.interrupted(); // a nap would end at once
        nap.accept(napNanos);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        napNanos = Math.min(napNanos * 2, MAX_NAP_NANOS);
    }
}
