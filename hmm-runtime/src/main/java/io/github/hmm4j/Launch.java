package io.github.hmm4j;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.KernelEnqueuedError;
import io.github.hmm4j.error.PrecedingLaunchFailedException;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.mirror.DeviceMirror;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.LockSupport;

/// A kernel that was started. Threads: any.
///
/// [#await()] it before ordinary code touches what it uses: a touch waits, too, but stops the whole JVM at the next safepoint while it does ([HmmBuilder#touchTimeout]).
public final class Launch {

    private static final long FIRST_PAUSE_NANOS = 10_000;
    private static final long LONGEST_PAUSE_NANOS = 1_000_000;

    private final String kernel;
    private final DeviceMirror mirror;
    private final Completion completion;
    private final Runnable ended;
    private final Moves moves;
    private volatile List<Earlier> earlier; // whose failure is this one's, too, oldest first; no launches, which would keep all before them

    /// A launch before this one, on the same device.
    private record Earlier(String name, Completion completion, Runnable ended) {

        boolean hasEndedWell() {
            if (!completion.isDone()) {
                return false;
            }
            try {
                requireGoodEnd();
                return true;
            } catch (HmmException _) {
                return false; // told to whoever awaits
            }
        }

        void requireGoodEnd() {
            try {
                completion.await();
            } finally {
                ended.run();
            }
        }
    }

    /// What had to be moved before the kernel could start.
    ///
    /// @param pagesMoved  pages that changed place
    /// @param bytesCopied bytes that crossed to the device for it
    /// @param rounds      times the launch went through planning and moving; 0 if everything was there
    public record Moves(long pagesMoved, long bytesCopied, int rounds) {

        static final Moves NONE = new Moves(0, 0, 0);
    }

    Launch(String kernel, DeviceMirror mirror, LaunchGate.Passed passed, Moves moves) {
        this(kernel, mirror, passed.completion(), passed.ended(), moves, List.of());
    }

    private Launch(String kernel, DeviceMirror mirror, Completion completion, Runnable ended, Moves moves, List<Earlier> earlier) {
        this.kernel = kernel;
        this.mirror = mirror;
        this.completion = completion;
        this.ended = ended;
        this.moves = moves;
        this.earlier = earlier;
    }

    /// Behind an enqueued kernel.
    ///
    /// @throws KernelEnqueuedError if there is no Java heap for it
    static Launch enqueued(String kernel, DeviceMirror mirror, LaunchGate.Passed passed, long pagesMoved, long bytesCopied, int rounds) {
        try {
            return new Launch(kernel, mirror, passed, rounds == 0 && pagesMoved == 0 ? Moves.NONE : new Moves(pagesMoved, bytesCopied, rounds));
        } catch (OutOfMemoryError _) {
            throw KernelEnqueuedError.get();
        }
    }

    /// The same with what its earlier rounds have moved.
    Launch after(Moves all) {
        return new Launch(kernel, mirror, completion, ended, all, earlier);
    }

    /// The same behind others, which its device runs before it or which have ended: if one of them fails, this one has
    /// failed.
    ///
    /// @throws KernelEnqueuedError if there is no Java heap for it
    Launch behind(List<Launch> others) {
        try {
            return withEarlier(others);
        } catch (OutOfMemoryError _) {
            throw KernelEnqueuedError.get();
        }
    }

    private Launch withEarlier(List<Launch> others) {
        List<Earlier> all = new ArrayList<>();
        for (Launch other : others) {
            all.addAll(other.earlier);
            all.add(new Earlier(other.name(), other.completion, other.ended));
        }
        int ended = 0;
        while (ended < all.size() && all.get(ended).hasEndedWell()) { // kernels of a device end in order, so a long row of launches keeps those in flight
            ended++;
        }
        return new Launch(kernel, mirror, completion, this.ended, moves, List.copyOf(all.subList(ended, all.size())));
    }

    boolean isOn(DeviceMirror device) {
        return mirror.equals(device);
    }

    /// For a launch that comes after this one and must not begin before it has ended.
    ///
    /// @throws PrecedingLaunchFailedException if its kernel has failed
    void awaitFor(String nextKernel) {
        try {
            await();
        } catch (HmmException e) {
            throw new PrecedingLaunchFailedException(nextKernel, name(), "nothing ran", e);
        }
    }

    private String name() {
        return "launch of kernel=%s on %s".formatted(kernel, mirror);
    }

    /// Waits for the kernel to end.
    ///
    /// @return this
    /// @throws io.github.hmm4j.error.HmmException if it failed on the device; the pages that it was to write are then poisoned: a touch of them, a view and the next launch
    ///                                            with them are refused, until they are discarded or freed
    /// @throws io.github.hmm4j.error.PrecedingLaunchFailedException if a launch has failed that this one was to come [after][Kernel.Call#after]
    public Launch await() {
        try {
            completion.await();
        } finally {
            ended.run();
        }
        requireEarlier();
        return this;
    }

    private void requireEarlier() {
        for (Earlier one : earlier) {
            try {
                one.requireGoodEnd();
            } catch (HmmException e) {
                throw new PrecedingLaunchFailedException(kernel, one.name(), "it was in the device's queue already and has run on what there was", e);
            }
        }
        earlier = List.of();
    }

    /// Waits for the kernel to end, for a limited time. An interrupt ends the wait and not the kernel, which nothing can end.
    ///
    /// @param timeout how long at most; none or less only looks
    /// @return whether it has ended
    /// @throws InterruptedException                 if the thread was interrupted before or while it waited
    /// @throws io.github.hmm4j.error.HmmException if the kernel has failed, as [#await()] does
    public boolean await(Duration timeout) throws InterruptedException {
        Objects.requireNonNull(timeout, "timeout");
        long began = System.nanoTime();
        long pause = FIRST_PAUSE_NANOS;
        while (true) {
            if (Thread.interrupted()) {
                throw new InterruptedException("while waiting for " + this);
            }
            if (isDone()) {
                await();
                return true;
            }
            if (Duration.ofNanos(System.nanoTime() - began).compareTo(timeout) >= 0) {
                return false;
            }
            LockSupport.parkNanos(pause);
            pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
        }
    }

    /// A stage that is completed with this launch when its kernel has ended, and exceptionally, with what [#await()] throws, if it has failed. What depends on it runs in the common
    /// pool unless it says where ([CompletionStage#thenApplyAsync]), within a millisecond or two of the end. Closing the heap ends the launch first.
    ///
    /// ```java
    /// blur.args(image, result).launch(range).whenDone().thenAccept(launch -> show(result));
    /// ```
    public CompletionStage<Launch> whenDone() {
        return Endings.of(this).minimalCompletionStage();
    }

    /// Whether the kernel has ended, well or badly. Never waits.
    public boolean isDone() {
        return completion.isDone();
    }

    /// Its number among the commands that its device tells a timeline of, or 0.
    long command() {
        return completion.command();
    }

    public Moves moves() {
        return moves;
    }

    /// Nanoseconds that the kernel took on the device; -1 as long as it has not ended, and if the device does not say. Never waits: to be sure of the time, [#await] first.
    ///
    /// An OpenCL device keeps times only where somebody wants them: with [HmmBuilder#profiling], or if a trace or a flight recording that wants commands
    /// had begun when the kernel was launched.
    public long deviceNanos() {
        return completion.deviceNanos();
    }

    /// Kernel, device, and whether it has ended.
    @Override
    public String toString() {
        return name() + ", " + (isDone() ? "ended" : "under way");
    }
}
