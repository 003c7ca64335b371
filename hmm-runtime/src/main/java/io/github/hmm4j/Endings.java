package io.github.hmm4j;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.locks.LockSupport;

/// Tells futures of the ends of launches, from one thread for all of the process, which is there while any is waited for.
///
/// It asks instead of waiting: one wait at a time would tell of the youngest first as late as of the oldest, and drivers call back late or never. Dependents run in the common pool, so that none
/// of them keeps the others waiting.
final class Endings {

    private static final long FIRST_PAUSE_NANOS = 20_000;
    private static final long LONGEST_PAUSE_NANOS = 1_000_000;
    private static final Endings ALL = new Endings();

    private record Awaited(Launch launch, CompletableFuture<Launch> future) {}

    private final List<Awaited> awaited = new ArrayList<>();
    private boolean running;

    private Endings() {}

    /// @return completed with the launch when that has ended, and exceptionally if its kernel has failed
    static CompletableFuture<Launch> of(Launch launch) {
        CompletableFuture<Launch> future = new CompletableFuture<>();
        ALL.add(new Awaited(launch, future));
        return future;
    }

    private synchronized void add(Awaited launch) {
        if (!running) {
            Thread.ofPlatform().name("hmm-endings").daemon().start(this::run);
            running = true;
        }
        awaited.add(launch);
    }

    private void run() {
        long pause = FIRST_PAUSE_NANOS;
        while (isWanted()) {
            boolean told = false;
            try {
                told = tellOne();
            } catch (OutOfMemoryError _) {
                pause = LONGEST_PAUSE_NANOS; // it is awaited still
            }
            if (told) {
                pause = FIRST_PAUSE_NANOS;
            } else {
                LockSupport.parkNanos(pause);
                pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
            }
        }
    }

    private synchronized boolean isWanted() {
        running = !awaited.isEmpty();
        return running;
    }

    private synchronized boolean tellOne() {
        for (int i = 0; i < awaited.size(); i++) {
            Awaited one = awaited.get(i);
            if (one.launch().isDone()) {
                ForkJoinPool.commonPool().execute(() -> complete(one));
                awaited.remove(i);
                return true;
            }
        }
        return false;
    }

    private static void complete(Awaited one) {
        try {
            one.future().complete(one.launch().await());
        } catch (RuntimeException | Error e) {
            one.future().completeExceptionally(e);
        }
    }
}
