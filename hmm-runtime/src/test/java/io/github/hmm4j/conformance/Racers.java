package io.github.hmm4j.conformance;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Threads that start together; the first failure of any of them is the test's.
final class Racers {

    private static final int LOOKS = 1000;

    private Racers() {}

    /// Runs tasks at the same time and waits for all.
    static void run(Runnable... tasks) throws InterruptedException {
        CyclicBarrier start = new CyclicBarrier(tasks.length);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < tasks.length; i++) {
            Runnable task = tasks[i];
            threads.add(Thread.ofPlatform().name("racer-" + i).start(() -> {
                try {
                    start.await();
                    task.run();
                } catch (Throwable e) {
                    if (!failure.compareAndSet(null, e)) {
                        failure.get().addSuppressed(e);
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (failure.get() != null) {
            throw new AssertionError("a racer failed: " + inOneLine(failure.get()), failure.get());
        }
    }

    /// The same task, many times at once.
    static void run(int count, IntConsumer task) throws InterruptedException {
        Runnable[] tasks = new Runnable[count];
        for (int i = 0; i < count; i++) {
            int number = i;
            tasks[i] = () -> task.accept(number);
        }
        run(tasks);
    }

    /// Runs `task` in a thread of its own, and `resume` as soon as that thread waits for something or has ended: whichever the runtime does, `task` has had its chance
    /// to go wrong, and nobody looked at a clock. A thread that waits in native code runs, as Java sees it: so it is the kernel that is asked, and often enough that a short sleep does not pass for a wait.
    static void resumeOnceBlockedOrDone(Runnable task, Runnable resume) {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicReference<Path> racer = new AtomicReference<>();
        Thread thread = Thread.ofPlatform().name("racer").start(() -> {
            try {
                racer.set(ProcFs.thisThread());
                task.run();
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        int asleep = 0;
        while (asleep < LOOKS && thread.isAlive()) {
            Path seen = racer.get();
            asleep = seen != null && ProcFs.isAsleep(seen) ? asleep + 1 : 0;
        }
        resume.run();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
        if (failure.get() != null) {
            throw new AssertionError("the racer failed: " + inOneLine(failure.get()), failure.get());
        }
    }

    /// What went wrong and how to repeat it, also where a list of failures shows one line of each.
    private static String inOneLine(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause).map(Throwable::toString).collect(Collectors.joining(", since ")).replaceAll("\\s+", " ");
    }
}
