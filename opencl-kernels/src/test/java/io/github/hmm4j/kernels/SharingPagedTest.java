package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The kernels of sharing_paged.cl, where all of the heap is there and where pages are missing. `StrategiesTest` of the demos runs them under the runtime.
final class SharingPagedTest {

    private static final String FILE = "sharing_paged.cl";
    private static final long BASE = 0x7f12_3450_0000L;
    private static final int PAGE_WORDS = 512;
    private static final int LOCAL = 8;
    private static final int RESULTS = 2 * LOCAL; // behind the data; then one more

    @Test
    void kernelsDoWhatTheOracleSays() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                check(cl, PagedTest.Form.APERTURE, 1, random);
                check(cl, PagedTest.Form.APERTURE, random.nextInt(2, 1500), random);
            }
        });
    }

    @Test
    void theyDoInParts() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                check(cl, PagedTest.Form.PAGED, random.nextInt(1, 300), random);
            }
        });
    }

    /// @param n of the words, or lines
    static void check(ClHarness cl, PagedTest.Form form, int n, SplittableRandom random) {
        Image image = new Image(cl, form, random, random.longs(8L * n + 3 * PAGE_WORDS).toArray());

        long[] data = image.data();
        image.stream("share_map", n, address(0), address(n), (long) n);
        for (int i = 0; i < n; i++) {
            data[n + i] = SharingOracle.step(data[i]);
        }
        assertThat(image.data()).as("map n=%d", n).isEqualTo(data);

        int first = random.nextInt(n);
        image.stream("share_step", n - first, address(0), (long) first, (long) (n - first));
        for (int i = first; i < n; i++) {
            data[i] = SharingOracle.step(data[i]);
        }
        assertThat(image.data()).as("step n=%d first=%d", n, first).isEqualTo(data);

        long seed = random.nextLong();
        image.stream("share_fill", n, address(3), seed, (long) n);
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
        image = new Image(cl, form, random, data);
        int start = random.nextInt(n);
        int steps = random.nextInt(200);
        image.run("share_chase", 1, address(0), image.result(0), (long) start, (long) steps);
        assertThat(image.resultAt(0)).as("chase lines=%d start=%d steps=%d", n, start, steps).isEqualTo(SharingOracle.end(data, start, steps));
    }

    private static long address(int word) {
        return BASE + (long) word * Long.BYTES;
    }

    /// A heap of words, and room for results behind them.
    private static final class Image {

        private final ClHarness cl;
        private final PagedTest.Form form;
        private final SplittableRandom random;
        private final ClHarness.Program program; // of the aperture
        private final int pageShift;
        private final String options;
        private final int runWords; // of a work-item
        private final int queueEntries;
        private final int length;
        private long[] words;

        Image(ClHarness cl, PagedTest.Form form, SplittableRandom random, long[] data) {
            this.cl = cl;
            this.form = form;
            this.random = random;
            pageShift = random.nextInt(6, 11);
            runWords = random.nextInt(1, (1 << pageShift) / Long.BYTES + 1);
            options = "-DSHARE_RUN=" + runWords;
            program = cl.build(Source.resource(FILE), options);
            queueEntries = random.nextInt(1, 40);
            length = data.length;
            words = Arrays.copyOf(data, data.length + RESULTS + 1);
        }

        /// A kernel whose work-items take runs of the words.
        void stream(String kernel, int count, Object... arguments) {
            run(kernel, Math.ceilDiv(count, runWords), arguments);
        }

        void run(String kernel, int items, Object... arguments) {
            if (form == PagedTest.Form.PAGED) {
                runInParts(kernel, items, arguments);
                return;
            }
            ClHarness.Buffer memory = cl.longs(words);
            Object[] all = new Object[arguments.length + 2];
            all[0] = memory;
            all[1] = BASE;
            System.arraycopy(arguments, 0, all, 2, arguments.length);
            program.kernel(kernel).args(all).runOver(items, 1);
            words = memory.toLongs();
        }

        /// On a device that has some pages when it begins, and in the end has room for all: a work-item may ask for every one.
        private void runInParts(String kernel, int items, Object... arguments) {
            byte[] heap = new byte[Math.ceilDiv(words.length * Long.BYTES, 1 << pageShift) << pageShift];
            MemorySegment.ofArray(heap).asSlice(0, words.length * (long) Long.BYTES).copyFrom(MemorySegment.ofArray(words));
            PagedHost host = new PagedHost(cl, heap, BASE, pageShift, heap.length >> pageShift, queueEntries, random);
            host.scatter();
            host.tune(options);
            host.begin(Source.resource(FILE), kernel, items, 1, arguments);
            host.finish();
            MemorySegment.ofArray(words).copyFrom(MemorySegment.ofArray(heap).asSlice(0, words.length * (long) Long.BYTES));
        }

        long[] data() {
            return Arrays.copyOf(words, length);
        }

        long result(int index) {
            return address(length + index);
        }

        long resultAt(int index) {
            return words[length + index];
        }
    }
}
