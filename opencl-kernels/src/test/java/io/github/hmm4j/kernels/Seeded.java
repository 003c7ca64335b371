package io.github.hmm4j.kernels;

import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.opentest4j.TestAbortedException;

/// Random tests that can be repeated: a failure names its seed, and `-Dhmm.seed=N` runs it again.
final class Seeded {

    private Seeded() {}

    static void run(Consumer<SplittableRandom> test) {
        long seed = Long.getLong("hmm.seed", System.nanoTime());
        try {
            test.accept(new SplittableRandom(seed));
        } catch (TestAbortedException e) {          // skipped, not failed
            throw e;
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("failed with seed=" + seed + " (again: -Dhmm.seed=" + seed + "): " + e, e);
        }
    }

    static byte[] bytes(SplittableRandom random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }
}
