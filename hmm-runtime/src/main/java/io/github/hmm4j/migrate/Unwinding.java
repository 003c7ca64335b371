package io.github.hmm4j.migrate;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
import java.util.concurrent.locks.LockSupport;

/// Waiting on the way out of an error. What a claim or a frame is going to be used for next depends on the end of what is waited for, so giving up is not an option: where the
/// driver wants memory for the wait and the Java heap is full, it is asked again. Nothing here takes memory of its own.
final class Unwinding {

    private static final long NAP_NANOS = 100_000;

    private Unwinding() {}

    /// Waits for a copy whose failure, if it fails, is being reported already.
    static void await(Completion copy) {
        while (true) {
            try {
                copy.await();
                return;
            } catch (HmmException e) {
                return; // it has ended
            } catch (OutOfMemoryError e) {
                LockSupport.parkNanos(NAP_NANOS);
            }
        }
    }
}
