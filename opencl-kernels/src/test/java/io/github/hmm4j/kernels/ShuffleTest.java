package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class ShuffleTest {

    private static final int LOCAL = 16;
    private static final int GUARD = 32;

    @Test
    void bothKernelsDoWhatTheOracleSays() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (int size = 1; size <= 9; size++) {
                    check(cl, size, random.nextInt(1, 3000), random);
                }
                check(cl, 4, 1, random);
                check(cl, 8, LOCAL, random);
            }
        });
    }

    static void check(ClHarness cl, int size, int n, SplittableRandom random) {
        ClHarness.Program program = cl.build(Source.resource("shuffle.cl"));
        byte[] values = Seeded.bytes(random, size * n);
        byte[] planes = ShuffleOracle.shuffled(values, size);
        checkOne(cl, program.kernel("shuffle_bytes"), values, planes, size, random);
        checkOne(cl, program.kernel("unshuffle_bytes"), planes, values, size, random);
    }

    private static void checkOne(ClHarness cl, ClHarness.Kernel kernel, byte[] in, byte[] expected, int size, SplittableRandom random) {
        byte[] before = Seeded.bytes(random, in.length + GUARD);
        byte[] after = before.clone();
        System.arraycopy(expected, 0, after, 0, expected.length);
        ClHarness.Buffer from = cl.bytes(in);
        ClHarness.Buffer to = cl.bytes(before);
        int n = in.length / size;
        kernel.args(from, to, size, n).runOver(n, LOCAL);
        assertThat(to.toBytes()).as("size=%d n=%d", size, n).isEqualTo(after);
        assertThat(from.toBytes()).as("what was only read").isEqualTo(in);
    }
}
