package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The kernels of sharing_paged.cl in the form where all of the heap is there. That they may run again is up to `StrategiesTest` of the demos, which runs them where pages are missing.
final class SharingPagedTest {

    private static final long BASE = 0x7f12_3450_0000L;
    private static final int PAGE_WORDS = 512;
    private static final int LOCAL = 8;
    private static final int RESULTS = 2 * LOCAL; // behind the data; then one more

    @Test
    void kernelsDoWhatTheOracleSays() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                check(cl, 1, random);
                check(cl, random.nextInt(2, 1500), random);
            }
        });
    }

    /// @param n of the words, or lines
    static void check(ClHarness cl, int n, SplittableRandom random) {
        ClHarness.Program program = cl.build(Source.resource("sharing_paged.cl"));
        Image image = new Image(cl, program, random.longs(8L * n + 3 * PAGE_WORDS).toArray());

        long[] data = image.data();
        image.run("share_map", n, address(0), address(n), (long) n);
        for (int i = 0; i < n; i++) {
            data[n + i] = SharingOracle.step(data[i]);
        }
        assertThat(image.data()).as("map n=%d", n).isEqualTo(data);

        int first = random.nextInt(n);
        image.run("share_step", n - first, address(0), (long) first, (long) (n - first));
        for (int i = first; i < n; i++) {
            data[i] = SharingOracle.step(data[i]);
        }
        assertThat(image.data()).as("step n=%d first=%d", n, first).isEqualTo(data);

        long seed = random.nextLong();
        image.run("share_fill", n, address(3), seed, (long) n);
        for (int i = 0; i < n; i++) {
            data[3 + i] = SharingOracle.step(seed + i);
        }
        assertThat(image.data()).as("fill n=%d", n).isEqualTo(data);

        image.run("share_sum", RESULTS, address(0), image.result(0), (long) n);
        for (int g = 0; g < RESULTS; g++) {
            assertThat(image.resultAt(g)).as("sum %d of n=%d", g, n).isEqualTo(g < n ? SharingOracle.sum(data, g, n - g, RESULTS) : 0);
        }
        image.run("share_total", 1, image.result(0), image.result(RESULTS), (long) RESULTS);
        assertThat(image.resultAt(RESULTS)).as("total n=%d", n).isEqualTo(SharingOracle.sum(data, 0, n, 1));

        image.run("share_pages", 2, address(0), image.result(0), 0L, 2L, 2L);
        assertThat(image.resultAt(0)).isEqualTo(SharingOracle.sum(data, 0, PAGE_WORDS, 1));
        assertThat(image.resultAt(1)).isEqualTo(SharingOracle.sum(data, 2 * PAGE_WORDS, PAGE_WORDS, 1));

        for (int i = 0; i < n; i++) {
            data[8 * i] = random.nextInt(n);
        }
        image = new Image(cl, program, data);
        int start = random.nextInt(n);
        int steps = random.nextInt(200);
        image.run("share_chase", 1, address(0), image.result(0), (long) start, (long) steps);
        assertThat(image.resultAt(0)).as("chase lines=%d start=%d steps=%d", n, start, steps).isEqualTo(SharingOracle.end(data, start, steps));
    }

    private static long address(int word) {
        return BASE + (long) word * Long.BYTES;
    }

    /// A heap of words, and room for results behind them.
    private record Image(ClHarness.Program program, ClHarness.Buffer memory, int length) {

        Image(ClHarness cl, ClHarness.Program program, long[] data) {
            this(program, cl.longs(Arrays.copyOf(data, data.length + RESULTS + 1)), data.length);
        }

        void run(String kernel, int items, Object... arguments) {
            Object[] all = new Object[arguments.length + 2];
            all[0] = memory;
            all[1] = BASE;
            System.arraycopy(arguments, 0, all, 2, arguments.length);
            program.kernel(kernel).args(all).runOver(items, 1);
        }

        long[] data() {
            return Arrays.copyOf(memory.toLongs(), length);
        }

        long result(int index) {
            return address(length + index);
        }

        long resultAt(int index) {
            return memory.toLongs()[length + index];
        }
    }
}
