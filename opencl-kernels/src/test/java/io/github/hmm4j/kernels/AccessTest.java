package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class AccessTest {

    private static final int LOCAL = 16;
    private static final int GUARD = 32;

    @Test
    void everyKernelDoesWhatItsOracleSays() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (int i = 0; i < 10; i++) {
                    check(cl, random.nextInt(1, 5000), random);
                }
                check(cl, 1, random);
                check(cl, LOCAL, random);
            }
        });
    }

    @Test
    void sumsTheExtremesWithoutOverflow() {
        int[] most = new int[100_000];
        Arrays.fill(most, Integer.MIN_VALUE);
        try (ClHarness cl = ClHarness.openOrSkip()) {
            checkSum(cl, "", 128, 3, most);
        }
    }

    @Test
    void sumsWithAnotherGroupSize() {
        try (ClHarness cl = ClHarness.openOrSkip()) {
            checkSum(cl, "-DHMM_WG=32", 32, 5, AccessOracle.ramp(-7, 3, 1001));
        }
    }

    static void check(ClHarness cl, int n, SplittableRandom random) {
        ClHarness.Program program = cl.build(Source.resource("access.cl"));
        int[] values = random.ints(n + GUARD).toArray();
        int[] before = random.ints(n + GUARD).toArray();
        int start = random.nextInt();
        int step = random.nextInt();

        ClHarness.Buffer in = cl.ints(values);
        ClHarness.Buffer out = cl.ints(before);
        program.kernel("empty3").args(out, out, in).run(new long[] {1}, new long[] {1});
        assertThat(out.toInts()).as("empty3").isEqualTo(before);

        program.kernel("copy_ints").args(in, out, n).runOver(n, LOCAL);
        assertThat(out.toInts()).as("copy_ints n=%d", n).isEqualTo(withTail(Arrays.copyOf(values, n), before));

        program.kernel("fill_ramp").args(out, start, step, n).runOver(n, LOCAL);
        int[] ramp = AccessOracle.ramp(start, step, n);
        assertThat(out.toInts()).as("fill_ramp start=%d step=%d n=%d", start, step, n)
                .isEqualTo(withTail(ramp, before));

        program.kernel("add_ints").args(out, step, n).runOver(n, LOCAL);
        assertThat(out.toInts()).as("add_ints delta=%d n=%d", step, n)
                .isEqualTo(withTail(AccessOracle.added(ramp, step), before));
        assertThat(in.toInts()).as("what was only read").isEqualTo(values);

        checkSum(cl, "", 128, random.nextInt(1, 5), Arrays.copyOf(values, n));
        checkTouch(cl, program, random.nextInt(1, 100), random.nextInt(0, 60), random);
    }

    private static void checkSum(ClHarness cl, String options, int groupSize, int groups, int[] values) {
        ClHarness.Buffer partial = cl.longs(new long[groups]);
        cl.build(Source.resource("access.cl"), options).kernel("sum_ints")
                .args(cl.ints(values), partial, values.length)
                .run(new long[] {(long) groupSize * groups}, new long[] {groupSize});
        assertThat(Arrays.stream(partial.toLongs()).sum()).as("sum_ints n=%d groups=%d", values.length, groups)
                .isEqualTo(AccessOracle.sum(values));
    }

    private static void checkTouch(ClHarness cl, ClHarness.Program program, int stride, int count,
            SplittableRandom random) {
        byte[] bytes = Seeded.bytes(random, stride * count + GUARD);
        byte add = (byte) random.nextInt(1, 256);
        ClHarness.Buffer buffer = cl.bytes(bytes);
        program.kernel("touch_pages").args(buffer, (long) stride, count, add).runOver(count, LOCAL);
        assertThat(buffer.toBytes()).as("touch_pages stride=%d count=%d", stride, count)
                .isEqualTo(AccessOracle.touched(bytes, stride, count, add));
    }

    private static int[] withTail(int[] head, int[] whole) {
        int[] all = whole.clone();
        System.arraycopy(head, 0, all, 0, head.length);
        return all;
    }
}
