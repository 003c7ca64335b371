package io.github.hmm4j.demos.harness;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Times the same thing several times over. The first run is kept apart: it compiles, allocates and fills caches.
///
/// Threads: one.
public final class RunClock {
    /// How often a program runs: once to warm up, then some times that count.
    public static final int RUNS = 4;

    private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
    private static final int SMALLEST_PAGE_BYTES = 4096;

    private final List<Long> nanos = new ArrayList<>();
    private long startNanos;
    private boolean running;

    public void start() {
        startNanos = System.nanoTime();
        running = true;
    }

    /// Ends the run that [#start()] began, once the whole result is on the host: every page of it is read.
    ///
    /// @throws IllegalStateException if none has begun
    public void stop(MemorySegment result) {
        for (long at = 0; at < result.byteSize(); at += SMALLEST_PAGE_BYTES) {
            byte _ = (byte) BYTE.getVolatile(result, at); // volatile, so that it is not optimised away
        }
        stop();
    }

    /// Ends the run that [#start()] began.
    ///
    /// @throws IllegalStateException if none has begun
    public void stop() {
        long now = System.nanoTime();
        if (!running) {
            throw new IllegalStateException("running=false");
        }
        nanos.add(now - startNanos);
        running = false;
    }

    public long firstNanos() {
        return nanos.getFirst();
    }

    /// The median of all runs but the first; of two in the middle the later one.
    public long medianNanos() {
        List<Long> counted = new ArrayList<>(nanos.subList(1, nanos.size()));
        Collections.sort(counted);
        return counted.get(counted.size() / 2);
    }
}
