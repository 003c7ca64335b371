package io.github.hmm4j;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/// Something that another thread does while the test goes on.
final class Background<T> {

    /// What does not return a value.
    @FunctionalInterface
    interface Action {
        void run() throws Exception;
    }

    private static final long PATIENCE_SECONDS = 20;

    private final FutureTask<T> task;
    private final Thread thread;

    private Background(Callable<T> work) {
        task = new FutureTask<>(work);
        thread = Thread.ofPlatform().daemon().name("background").start(task);
    }

    static <T> Background<T> call(Callable<T> work) {
        return new Background<>(work);
    }

    static Background<Boolean> run(Action action) {
        return new Background<>(() -> {
            action.run();
            return true;
        });
    }

    /// Waits until the thread waits for somebody. It has not ended then.
    Background<T> awaitWaiting() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TIMED_WAITING) {
            if (task.isDone() || System.nanoTime() - deadline > 0) {
                throw new AssertionError("expected to wait, but state=" + thread.getState() + ", done=" + task.isDone());
            }
            Thread.onSpinWait();
        }
        return this;
    }

    /// Waits until the thread has ended, waits for somebody, or is within native code, where it may wait as well.
    Background<T> awaitStuckOrDone() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!task.isDone() && !isStuck()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("neither waits nor ends, state=" + thread.getState());
            }
            Thread.onSpinWait();
        }
        return this;
    }

    private boolean isStuck() {
        Thread.State state = thread.getState();
        return state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING || state == Thread.State.BLOCKED
                || Stream.of(thread.getStackTrace()).anyMatch(frame -> frame.getClassName().endsWith(".PagerCalls"));
    }

    boolean isDone() {
        return task.isDone();
    }

    /// The result; what it threw is thrown.
    T join() {
        try {
            return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new AssertionError(e.getCause());
        } catch (TimeoutException e) {
            AssertionError stuck = new AssertionError("still running");
            stuck.setStackTrace(thread.getStackTrace());
            throw stuck;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
