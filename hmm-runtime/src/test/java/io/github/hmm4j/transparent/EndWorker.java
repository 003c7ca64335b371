package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.pager.HostAccess;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A program that ends, one way or the other, while its threads fault.
///
/// Arguments: `MODE close|return|exit`. Last line when closing: `done name=number ...`.
final class EndWorker {

    private static final int PAGE = 4096;
    private static final int PAGES = 64;
    private static final int THREADS = 3;
    private static final int HEAPS = 10;
    private static final int WARM_ROUNDS = 5;
    private static final long PATIENCE_SECONDS = 30;

    private EndWorker() {}

    public static void main(String[] args) throws InterruptedException {
        HostAccess.Mode mode = HostAccess.Mode.valueOf(args[0]);
        switch (args[1]) {
            case "close" -> closeMany(mode);
            case "return" -> faulting(mode);
            case "exit" -> {
                faulting(mode);
                System.exit(0);
            }
            default -> throw new IllegalArgumentException(args[1]);
        }
    }

    /// What a heap's threads do: a page is theirs alone, and goes to the device before each touch.
    private static final class Faulting {

        final Hmm hmm;
        final List<Thread> threads = new ArrayList<>();
        final ConcurrentLinkedQueue<Throwable> ends = new ConcurrentLinkedQueue<>();
        private final CountDownLatch warm = new CountDownLatch(THREADS);

        Faulting(HostAccess.Mode mode) throws InterruptedException {
            hmm = Hmm.builder().heap(ByteSize.mib(16)).pageSize(PAGE).faultAround(0).hostAccess(mode).open();
            for (int i = 0; i < THREADS; i++) {
                MemorySegment mine = hmm.heap().allocate((long) PAGES * PAGE, PAGE);
                threads.add(Thread.ofPlatform().daemon().start(() -> {
                    try {
                        touch(mine);
                    } catch (Throwable end) {
                        ends.add(end);
                    }
                }));
            }
            warm.await();
        }

        private void touch(MemorySegment mine) {
            for (int round = 1; ; round++) {
                hmm.heap().prefetch(mine, hmm.device());
                for (int page = 0; page < PAGES; page++) {
                    int value = mine.get(JAVA_INT, (long) page * PAGE);
                    if (value != round - 1) {
                        throw new AssertionError("page %d: expected %d, got %d".formatted(page, round - 1, value));
                    }
                    mine.set(JAVA_INT, (long) page * PAGE, round);
                }
                if (round == WARM_ROUNDS) {
                    warm.countDown();
                }
            }
        }
    }

    private static Faulting faulting(HostAccess.Mode mode) throws InterruptedException {
        return new Faulting(mode);
    }

    private static void closeMany(HostAccess.Mode mode) throws InterruptedException {
        int told = 0;
        for (int i = 0; i < HEAPS; i++) {
            Faulting faulting = faulting(mode);
            faulting.hmm.close();
            for (Thread thread : faulting.threads) {
                thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
                if (thread.isAlive()) {
                    throw new AssertionError("a thread goes on after the heap is closed");
                }
            }
            for (Throwable end : faulting.ends) {
                boolean typed = end instanceof InternalError || (end instanceof IllegalStateException && Objects.requireNonNull(end.getMessage()).contains("losed"));
                if (!typed) {
                    throw new AssertionError("closing ended a thread with", end);
                }
                told++;
            }
        }
        System.out.printf("done heaps=%d threads=%d told=%d%n", HEAPS, HEAPS * THREADS, told);
    }
}
