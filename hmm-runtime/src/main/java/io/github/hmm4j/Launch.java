package io.github.hmm4j;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.migrate.LaunchGate;

/// A kernel that was started. Threads: any.
///
/// [#await()] it before ordinary code touches what it uses: a touch waits, too, but stops the whole JVM at the next safepoint while it does ([HmmBuilder#touchTimeout]).
public final class Launch {

    private final Completion completion;
    private final Runnable ended;
    private final Moves moves;

    /// What had to be moved before the kernel could start.
    ///
    /// @param pagesMoved  pages that changed place
    /// @param bytesCopied bytes that crossed to the device for it
    /// @param rounds      times the launch went through planning and moving; 0 if everything was there
    public record Moves(long pagesMoved, long bytesCopied, int rounds) {

        static final Moves NONE = new Moves(0, 0, 0);
    }

    Launch(LaunchGate.Passed passed, Moves moves) {
        this(passed.completion(), passed.ended(), moves);
    }

    private Launch(Completion completion, Runnable ended, Moves moves) {
        this.completion = completion;
        this.ended = ended;
        this.moves = moves;
    }

    /// The same with what its earlier rounds have moved.
    Launch after(Moves all) {
        return new Launch(completion, ended, all);
    }

    /// Waits for the kernel to end.
    ///
    /// @return this
    /// @throws io.github.hmm4j.error.HmmException if it failed on the device; the pages that it was to write are then poisoned: a touch of them, a view and the next launch
    ///                                            with them are refused, until they are discarded or freed
    public Launch await() {
        try {
            completion.await();
        } finally {
            ended.run();
        }
        return this;
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
    public long deviceNanos() {
        return completion.deviceNanos();
    }
}
