package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class MemoryTest {

    private static final int LOCAL = 16;
    private static final int BLOCK = 16;

    @Test
    void copiesAndFillsAtAnyOffset() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (int i = 0; i < 10; i++) {
                    check(cl, random.nextInt(0, 3000), random);
                }
                check(cl, 0, random);
                check(cl, 1, random);
                check(cl, BLOCK, random);
            }
        });
    }

    static void check(ClHarness cl, int count, SplittableRandom random) {
        ClHarness.Program program = cl.build(Source.resource("memory.cl"));
        int fromOffset = random.nextInt(0, 40);
        int toOffset = random.nextInt(0, 40);
        byte[] from = Seeded.bytes(random, fromOffset + count + random.nextInt(1, 40));
        byte[] expected = Seeded.bytes(random, toOffset + count + random.nextInt(1, 40));
        byte value = (byte) random.nextInt();
        int items = Math.max(1, (count + BLOCK - 1) / BLOCK);
        ClHarness.Buffer in = cl.bytes(from);
        ClHarness.Buffer out = cl.bytes(expected);

        program.kernel("copy_bytes").args(out, (long) toOffset, in, (long) fromOffset, (long) count).runOver(items, LOCAL);
        System.arraycopy(from, fromOffset, expected, toOffset, count);
        assertThat(out.toBytes()).as("copy_bytes toOffset=%d fromOffset=%d count=%d", toOffset, fromOffset, count).isEqualTo(expected);
        assertThat(in.toBytes()).as("what was only read").isEqualTo(from);

        program.kernel("fill_bytes").args(out, (long) toOffset, value, (long) count).runOver(items, LOCAL);
        Arrays.fill(expected, toOffset, toOffset + count, value);
        assertThat(out.toBytes()).as("fill_bytes toOffset=%d value=%d count=%d", toOffset, value, count).isEqualTo(expected);
    }
}
