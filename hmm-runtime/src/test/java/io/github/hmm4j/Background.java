package io.github.hmm4j;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Something that another thread does while the test goes on.
public final class Background<T> {

    /// What does not return a value.
    @FunctionalInterface
    public interface Action {
        void run() throws Exception;
    }

    private static final long PATIENCE_SECONDS = 50; // for what hangs, and less than most tests have: how long anything takes is the machine's business
    private static final int LOOKS = 50; // at a thread that is asleep

    private final FutureTask<T> task;
    private final Thread thread;
    private volatile @Nullable Path status; // what the kernel says of the thread, once it runs

    private Background(Callable<T> work) {
        task = new FutureTask<>(() -> {
            status = Path.of("/proc").resolve(Files.readSymbolicLink(Path.of("/proc/thread-self"))).resolve("status");
            return work.call();
        });
        thread = Thread.ofPlatform().daemon().name("background").start(task);
    }

    public static <T> Background<T> call(Callable<T> work) {
        return new Background<>(work);
    }

    public static Background<Boolean> run(Action action) {
        return new Background<>(() -> {
            action.run();
            return true;
        });
    }

    /// Waits until the thread waits for somebody: in Java, or asleep within a native call, and not only for a moment, as for a command that is done at once. It has not ended then.
    public Background<T> awaitWaiting() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        int asleep = 0;
        while (asleep < LOOKS && !isWaiting()) {
            asleep += isWithinNativeCode() && isAsleep() ? 1 : 0;
            if (task.isDone() || System.nanoTime() - deadline > 0) {
                throw new AssertionError("expected to wait, but state=" + thread.getState() + ", done=" + task.isDone());
            }
            Thread.onSpinWait();
        }
        return this;
    }

    /// Waits until the thread sleeps in a touch. Looks at it from outside: whoever asks the JVM about it waits for the touch, too.
    public Background<T> awaitTouching() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        int asleep = 0;
        while (asleep < LOOKS) {
            asleep = isAsleep() ? asleep + 1 : 0;
            if (task.isDone() || System.nanoTime() - deadline > 0) {
                throw new AssertionError("expected to sleep in a touch, but done=" + task.isDone());
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
        return isWaiting() || thread.getState() == Thread.State.BLOCKED || isWithinNativeCode();
    }

    private boolean isWaiting() {
        return thread.getState() == Thread.State.WAITING || thread.getState() == Thread.State.TIMED_WAITING;
    }

    /// In a call of ours, or of OpenCL's.
    private boolean isWithinNativeCode() {
        StackTraceElement[] stack = thread.getStackTrace();
        return (stack.length > 0 && (stack[0].isNativeMethod() || stack[0].getClassName().equals("org.lwjgl.system.JNI"))) || Stream.of(stack).anyMatch(frame -> frame.getClassName().endsWith(".PagerCalls"));
    }

    private boolean isAsleep() {
        Path file = status;
        try {
            return file != null && Files.readAllLines(file).stream().anyMatch(line -> line.startsWith("State:\tS"));
        } catch (IOException e) {
            return false; // it has ended
        }
    }

    public boolean isDone() {
        return task.isDone();
    }

    /// The result; what it threw is thrown.
    public T join() {
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
