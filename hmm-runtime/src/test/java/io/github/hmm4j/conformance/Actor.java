package io.github.hmm4j.conformance;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/// A thread of a random test that does one thing after the other, until the steps that all of them have together are used up.
abstract class Actor implements Runnable {

    final Rig rig;
    final KnownMemory memory;
    final SplittableRandom random;
    final Turns turns;
    private final @Nullable Semaphore mine;
    private final long seed;
    private String doing = "nothing yet";

    /// @param mine the turns that it waits for before each step; null if it need not wait
    Actor(Rig rig, KnownMemory memory, Turns turns, @Nullable Semaphore mine, long seed, int number) {
        this.rig = rig;
        this.memory = memory;
        this.turns = turns;
        this.mine = mine;
        this.seed = seed;
        random = new SplittableRandom(seed + number);
    }

    abstract void step() throws Exception;

    /// What it still has to do after its last step.
    void finish() {}

    /// For the message of a failure.
    final void doing(String what, Object... toWhat) {
        doing = what + " " + Arrays.toString(toWhat);
    }

    @Override
    public final void run() {
        try {
            while (turns.take()) {
                if (mine != null) {
                    mine.acquire();
                }
                step();
            }
            finish();
        } catch (Exception | Error e) {
            throw new AssertionError("-Dhmm.seed=%d, %s: %s".formatted(seed, getClass().getSimpleName(), doing), e);
        } finally {
            turns.end();
        }
    }
}
