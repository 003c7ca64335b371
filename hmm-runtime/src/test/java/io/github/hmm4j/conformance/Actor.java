package io.github.hmm4j.conformance;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/// A thread of a random test that does one thing after the other, until the steps that all of them have together are used up.
abstract class Actor implements Runnable {

    final Rig rig;
    final KnownMemory memory;
    final SplittableRandom random;
    private final AtomicLong stepsLeft;
    private final long seed;
    private String doing = "nothing yet";

    Actor(Rig rig, KnownMemory memory, AtomicLong stepsLeft, long seed, int number) {
        this.rig = rig;
        this.memory = memory;
        this.stepsLeft = stepsLeft;
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
            while (stepsLeft.getAndDecrement() > 0) {
                step();
            }
            finish();
        } catch (Exception | Error e) {
            stepsLeft.set(0); // the others need not go on
            throw new AssertionError("-Dhmm.seed=%d, %s: %s".formatted(seed, getClass().getSimpleName(), doing), e);
        }
    }
}
