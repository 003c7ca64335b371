package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// hmm.clh in its three forms, and the kernels of paged.cl in each.
///
/// [PagedHost] plays the runtime. The heap is random bytes around the arrays, and is compared as a whole afterwards.
final class PagedTest {

    static final long[] BASES = {0x7f00_0000_0000L, 0x20_0000L, 0xffff_8000_0000_0000L};
    private static final int GUARD = 8;
    private static final String[] FORMS = {"", "-DHMM_PLAIN", PagedHost.options(100, 12, 64)};

    /// How a kernel is run: on a whole heap, on parts of it, or on the host's memory as it lies there.
    enum Form { APERTURE, PAGED, PLAIN }

    /// In which forms files compile that are not meant for all; those of none are what other tests are about.
    private static final Map<String, Set<String>> SOME_FORMS = Map.of(
            "heap/lists.cl", Set.of(FORMS[0], FORMS[1]),            // HMM_PTR
            "resources/forge.cl", Set.of(FORMS[2]),                 // writes over the page table
            "bad/asks_const_heap_to_write.cl", Set.of(),
            "bad/does_not_compile.cl", Set.of(),
            "bad/writes_const_heap.cl", Set.of(),
            "bad/writes_to_what_was_kept_to_read.cl", Set.of(),
            "includes/uses_both.cl", Set.of());                     // defines a function twice: only its text is of interest

    /// Every kernel file that takes in the header, of all modules and of their tests: one that is written tomorrow is compiled by itself.
    static List<Path> filesThatTakeTheHeader() throws IOException {
        Path module = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(Objects.requireNonNull(module.getParent()), new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                String name = String.valueOf(folder.getFileName());
                return name.equals("target") || name.startsWith(".") ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (file.toString().endsWith(".cl") && Source.file(file).text().contains("#define HMM_CLH")) {
                    found.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }

    @ParameterizedTest
    @MethodSource("filesThatTakeTheHeader")
    void everyFormCompiles(Path file) {
        try (ClHarness cl = ClHarness.openOrSkip()) {
            for (String form : FORMS) {
                if (SOME_FORMS.entrySet().stream().allMatch(some -> !file.endsWith(some.getKey()) || some.getValue().contains(form))) {
                    cl.build(Source.file(file), form);
                } else {
                    assertThatThrownBy(() -> cl.build(Source.file(file), form)).as("%s, %s: named above, and compiles all the same", file, form).isInstanceOf(ClHarness.BuildFailed.class);
                }
            }
        }
    }

    @Test
    void allFilesAreLookedAt() throws IOException {
        List<Path> files = filesThatTakeTheHeader();
        for (String one : List.of("kernels/paged.cl", "kernels/tree.cl", "kernels/sharing_paged.cl", "resources/paged_access.cl")) {
            assertThat(files).as(one).anyMatch(file -> file.endsWith(one));
        }
        SOME_FORMS.keySet().forEach(some -> assertThat(files).as(some).anyMatch(file -> file.endsWith(some)));
    }

    @Test
    void writingThroughAConstHeapCompilesInNoForm() {
        assertCompilesInNoForm("bad/asks_const_heap_to_write.cl", "discards qualifiers", "asks_const_heap_to_write.cl:5");
    }

    @Test
    void writingToWhatWasKeptToReadCompilesInNoForm() {
        assertCompilesInNoForm("bad/writes_to_what_was_kept_to_read.cl", "no member named 'to_write'", "kept_to_read.cl:6", "kept_to_read.cl:7");
    }

    private static void assertCompilesInNoForm(String file, String... messages) {
        try (ClHarness cl = ClHarness.openOrSkip()) {
            for (String form : FORMS) {
                assertThatThrownBy(() -> cl.build(Source.resource(file), form)).isInstanceOf(ClHarness.BuildFailed.class).hasMessageContainingAll(messages);
            }
        }
    }

    @Test
    void pointersThatAreNeverMissingNeedAnAperture() {
        try (ClHarness cl = ClHarness.openOrSkip()) {
            assertThatThrownBy(() -> cl.build(Source.resource("heap/lists.cl"), FORMS[2]))
                    .isInstanceOf(ClHarness.BuildFailed.class)
                    .hasMessageContainingAll("HMM_PTR_needs_an_aperture", "HMM_CONST_PTR_needs_an_aperture");
        }
    }

    @Test
    void kernelsDoWhatTheOracleSays() {
        compareWithTheOracle(1);
    }

    /// Heap addresses are memory's own here, and the image is none of it.
    @Test
    void kernelsDoOnTheHostsMemoryAsItLiesThere() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                checkAll(cl, Form.PLAIN, random);
            }
        });
    }

    /// Each round has other work-groups, for which the kernels are compiled anew.
    @Tag("elsewhere")
    @Test
    void kernelsDoInMoreRounds() {
        compareWithTheOracle(5);
    }

    private static void compareWithTheOracle(int rounds) {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (int i = 0; i < rounds; i++) {
                    checkAll(cl, Form.APERTURE, random);
                    checkAll(cl, Form.PAGED, random);
                }
            }
        });
    }

    @Test
    void oneFrameIsEnoughForAKernelThatLooksAtOnePageAtATime() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (int i = 0; i < 5; i++) {
                    var memory = new PagedMemory(Form.PAGED, random);
                    checkGather(new PagedDevice(cl, Form.PAGED, memory, 1, 1, random), 1, 1);
                }
            }
        });
    }

    @Test
    void onlyWorkItemsThatMayRunRun() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                checkLimit(cl, random);
            }
        });
    }

    @Test
    void aPageToWriteIsNotQueuedToReadAsWell() {
        Source probe = Source.text("probe", """
                #include "hmm.clh"
                kernel void probe(HMM_HEAP, const ulong at, const int read_first) {
                    HMM_BEGIN;
                    global const int *in = read_first ? HMM_READ(int, at) : 0;
                    global int *out = HMM_WRITE(int, at);
                    in = HMM_READ(int, at);
                    if (!in || !out) {
                        return;
                    }
                    HMM_END;
                }
                """);
        try (ClHarness cl = ClHarness.openOrSkip()) {
            var random = new SplittableRandom(1);
            for (int readFirst = 0; readFirst < 2; readFirst++) {
                var host = new PagedHost(cl, new byte[40 << 8], BASES[0], 8, 1, 5, random);
                host.begin(probe, "probe", 64, 16, BASES[0] + (33 << 8), readFirst);
                int[] words = host.round(PagedHost.EVERYBODY);
                assertThat(host.queue(words)).contains(33 << 1 | 1).hasSizeLessThanOrEqualTo(1 + readFirst);
                assertThat(words[PagedHost.UNFINISHED]).isEqualTo(1);
                assertThat(words[PagedHost.PROGRESS]).isZero();
                assertThat(host.read().isEmpty() && host.written().isEmpty()).isTrue();
                assertThat(host.items()).containsOnly(0);

                host.bring(33, PagedHost.TO_READ);                  // what is there to be read is missing to be written
                assertThat(host.queue(host.round(PagedHost.EVERYBODY))).containsExactly(33 << 1 | 1);
                host.finish();
                assertThat(host.items()).containsOnly(1);
            }
        }
    }

    @Test
    void theQueueLosesWhatItHasNoRoomForAndTheBitmapDoesNot() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                var host = new PagedHost(cl, new byte[50 << 6], BASES[0], 6, 50, 3, random);
                ClHarness.Buffer out = cl.floats(new float[50]);
                host.begin(Source.resource("paged.cl"), "gather_rows", 50, 5, BASES[0],
                        cl.ints(IntStream.range(0, 50).map(page -> page << 4).toArray()), out, 1);
                int[] words = host.round(PagedHost.EVERYBODY);
                assertThat(words[PagedHost.FAULTS]).isEqualTo(50);
                assertThat(host.queue(words)).hasSize(3);
                assertThat(host.noted(words).stream()).containsExactlyElementsOf(
                        IntStream.range(0, 50).mapToObj(page -> 2 * page).toList());
                host.finish();
                assertThat(host.rounds()).isEqualTo(19);            // that one, 17 with three faults at most, the last
            }
        });
    }

    @Test
    void addressesOutsideTheHeapEndTheLaunchAndChangeNothing() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (long base : BASES) {
                    long[] outside = {0, 1, base - 4, base + (10 << 7), base ^ 1L << 40, Long.MIN_VALUE, -4};
                    for (long bad : outside) {
                        checkViolation(cl, base, bad, PagedHost.OUTSIDE, random);
                    }
                }
            }
        });
    }

    @Test
    void objectsAcrossTwoPagesEndTheLaunchAndChangeNothing() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (int before = 1; before < 4; before++) {
                    long bad = BASES[0] + (random.nextInt(1, 10) << 7) - before;
                    checkViolation(cl, BASES[0], bad, PagedHost.CROSSES, random);
                }
            }
        });
    }

    @Test
    void violationsNameTheWorkItemInEveryDimension() {
        Source probe = Source.text("probe", """
                #include "hmm.clh"
                kernel void probe(HMM_HEAP_CONST, const uint x, const uint y, const uint z) {
                    HMM_BEGIN;
                    hmm_read_cache cache = HMM_NO_PAGE;
                    if (get_global_id(0) == x && get_global_id(1) == y && get_global_id(2) == z
                        && !HMM_READ_CACHED(long, 16ul, &cache)) {
                        return;
                    }
                    HMM_END;
                }
                """);
        try (ClHarness cl = ClHarness.openOrSkip()) {
            int pageShift = 6;
            ClHarness.Buffer pages = cl.ints(withLimit(new int[64]));
            ClHarness.Buffer items = cl.bytes(new byte[4 * 6 * 10 + GUARD]);
            cl.build(probe, PagedHost.options(2, pageShift, 4)).kernel("probe")
                    .args(cl.bytes(new byte[64]), BASES[0], pages, items, 3, 4, 8)
                    .run(new long[] {4, 6, 10}, new long[] {2, 3, 5});
            int[] words = pages.toInts();
            assertThat(Arrays.copyOfRange(words, 0, 9))
                    .containsExactly(1, 1, 0, PagedHost.OUTSIDE | PagedHost.TO_READ, 16, 0, (8 * 6 + 4) * 4 + 3, 0, -1);
            byte[] ended = new byte[4 * 6 * 10 + GUARD];
            Arrays.fill(ended, 0, 4 * 6 * 10, (byte) 1);
            ended[(8 * 6 + 4) * 4 + 3] = 0;
            assertThat(items.toBytes()).isEqualTo(ended);
        }
    }

    private static int[] withLimit(int[] words) {
        words[PagedHost.LIMIT] = PagedHost.EVERYBODY;
        return words;
    }

    /// Every kernel of paged.cl once.
    static void checkAll(ClHarness cl, Form form, SplittableRandom random) {
        int local = 1 << random.nextInt(4);
        int queueEntries = random.nextInt(1, 40);
        checkGather(new PagedDevice(cl, form, new PagedMemory(form, random), local, queueEntries, random), random.nextInt(1, 12),
                random.nextInt(1, 40));
        checkValues(new PagedDevice(cl, form, new PagedMemory(form, random), local, queueEntries, random), random.nextInt(1, 150),
                random.nextInt(1, 20));
        for (String kernel : new String[] {"scale_runs", "scale_cached"}) {
            checkScale(new PagedDevice(cl, form, new PagedMemory(form, random), local, queueEntries, random), kernel,
                    random.nextInt(1, 300), random.nextInt(1, 80));
        }
        checkJoin(new PagedDevice(cl, form, new PagedMemory(form, random), local, queueEntries, random), random.nextInt(1, 150),
                random.nextInt(1, 20));
        checkLevel(new PagedDevice(cl, form, new PagedMemory(form, random), local, queueEntries, random), random.nextInt(1, 60));
        checkCount(new PagedDevice(cl, form, new PagedMemory(form, random), local, queueEntries, random), random.nextInt(1, 150),
                random.nextInt(1, 100));
        checkBlocks(new PagedDevice(cl, form, new PagedMemory(form, random), local, queueEntries, random), random.nextInt(1, 150));
        checkLists(new PagedDevice(cl, form, new PagedMemory(form, random), local, queueEntries, random), random.nextInt(1, 6));
    }

    private static void run(PagedDevice device, String kernel, int count, Object... args) {
        String block = "-DPAGED_BLOCK=" + (1 << device.memory.random.nextInt(7));     // small ones lie on small pages
        device.run(Source.resource("paged.cl"), block, kernel, count, args);
    }

    private static void checkGather(PagedDevice device, int groups, int width) {
        PagedMemory memory = device.memory;
        int tableRows = memory.random.nextInt(1, 50);
        float[] table = wholeFloats(tableRows * width, memory.random);
        long at = memory.place(4L * table.length, 4);
        memory.floats(at, table);
        int count = groups * device.local;
        int[] rows = memory.random.ints(count, 0, tableRows).toArray();
        float[] before = wholeFloats(count * width + GUARD, memory.random);
        ClHarness.Buffer out = device.cl.floats(before);
        for (int r = 0; r < count; r++) {
            device.reads(r, at + 4L * rows[r] * width, 4L * width);
        }
        run(device, "gather_rows", count, at, device.cl.ints(rows), out, width);
        float[] expected = before.clone();
        System.arraycopy(PagedOracle.gathered(table, rows, width), 0, expected, 0, count * width);
        assertThat(out.toFloats()).as("out").isEqualTo(expected);
    }

    private static void checkValues(PagedDevice device, int count, int chunk) {
        PagedMemory memory = device.memory;
        float[] table = wholeFloats(memory.random.nextInt(1, 200), memory.random);
        long at = memory.place(4L * table.length, 4);
        memory.floats(at, table);
        int[] index = memory.random.ints(count, 0, table.length).toArray();
        float[] before = wholeFloats(count + GUARD, memory.random);
        ClHarness.Buffer out = device.cl.floats(before);
        for (int i = 0; i < count; i++) {
            device.reads(i / chunk, at + 4L * index[i], 4);
        }
        run(device, "gather_values", Math.ceilDiv(count, chunk), at, device.cl.ints(index), out, (long) count, chunk);
        float[] expected = before.clone();
        System.arraycopy(PagedOracle.gathered(table, index, 1), 0, expected, 0, count);
        assertThat(out.toFloats()).as("out").isEqualTo(expected);
    }

    private static void checkScale(PagedDevice device, String kernel, int count, int chunk) {
        PagedMemory memory = device.memory;
        float[] in = wholeFloats(count, memory.random);
        float a = memory.random.nextInt(-9, 9);
        float b = memory.random.nextInt(-9, 9);
        long from = memory.place(4L * count, 4);
        long to = memory.place(4L * count, 4);
        memory.floats(from, in);
        for (int item = 0; item * chunk < count; item++) {
            long length = 4L * Math.min(chunk, count - item * chunk);
            device.reads(item, from + 4L * item * chunk, length);
            device.writes(item, to + 4L * item * chunk, length);
        }
        device.expect(() -> memory.floats(to, PagedOracle.scaled(in, a, b)));
        run(device, kernel, Math.ceilDiv(count, chunk), from, to, (long) count, chunk, a, b);
    }

    private static void checkJoin(PagedDevice device, int count, int chunk) {
        PagedMemory memory = device.memory;
        int mask = (1 << memory.random.nextInt(1, 7)) - 1;
        int[] slots = new int[2 * (mask + 1)];
        Arrays.fill(slots, -1);
        Map<Integer, Integer> values = new HashMap<>();
        for (int left = memory.random.nextInt(mask + 1); left > 0; left--) {
            int key = memory.random.nextInt(1, 100);
            int slot = key * 0x9E3779B1 & mask;
            while (slots[2 * slot] != -1 && slots[2 * slot] != key) {
                slot = slot + 1 & mask;
            }
            slots[2 * slot] = key;
            slots[2 * slot + 1] = memory.random.nextInt();
            values.put(key, slots[2 * slot + 1]);
        }
        int[] rows = new int[2 * count];
        for (int i = 0; i < count; i++) {
            rows[2 * i] = memory.random.nextInt(1, 100);
            rows[2 * i + 1] = memory.random.nextInt();
        }
        long at = memory.place(8L * count, 8);
        memory.ints(at, rows);
        for (int i = 0; i < count; i++) {
            device.reads(i / chunk, at + 8L * i, 8);
        }
        int items = Math.ceilDiv(count, chunk);
        long[] before = memory.random.longs(items + GUARD).toArray();
        ClHarness.Buffer sums = device.cl.longs(before);
        run(device, "join_sums", items, at, device.cl.ints(slots), mask, sums, (long) count, chunk);
        long[] expected = before.clone();
        System.arraycopy(PagedOracle.joined(rows, values, chunk), 0, expected, 0, items);
        assertThat(sums.toLongs()).as("sums").isEqualTo(expected);
    }

    private static void checkLevel(PagedDevice device, int vertices) {
        PagedMemory memory = device.memory;
        int level = memory.random.nextInt(3);
        long[] row = new long[vertices + 1];
        for (int u = 0; u < vertices; u++) {
            row[u + 1] = row[u] + memory.random.nextInt(9);
        }
        int[] col = memory.random.ints(row[vertices] + 1, 0, vertices).toArray();
        int[] depth = memory.random.ints(vertices, -1, 4).toArray();
        long rowAt = memory.place(8L * row.length, 8);
        long colAt = memory.place(4L * col.length, 4);
        memory.longs(rowAt, row);
        memory.ints(colAt, col);
        for (int u = 0; u < vertices; u++) {
            if (depth[u] == level) {
                device.reads(u, rowAt + 8L * u, 16);
                if (row[u] < row[u + 1]) {
                    device.reads(u, colAt + 4 * row[u], 4 * (row[u + 1] - row[u]));
                }
            }
        }
        ClHarness.Buffer found = device.cl.ints(depth);
        ClHarness.Buffer changed = device.cl.ints(0);
        run(device, "bfs_level_paged", vertices, rowAt, colAt, found, changed, level, 0, vertices);
        int[] expected = PagedOracle.levelled(row, col, depth, level);
        assertThat(found.toInts()).as("depths").isEqualTo(expected);
        assertThat(changed.toInts()).as("changed").containsExactly(Arrays.equals(depth, expected) ? 0 : 1);
    }

    private static void checkCount(PagedDevice device, int count, int counters) {
        PagedMemory memory = device.memory;
        int[] values = memory.random.ints(count, 0, counters).toArray();
        int[] counts = memory.random.ints(counters).toArray();
        long valuesAt = memory.place(4L * count, 4);
        long countsAt = memory.place(4L * counters, 4);
        memory.ints(valuesAt, values);
        memory.ints(countsAt, counts);
        for (int i = 0; i < count; i++) {
            device.reads(i, valuesAt + 4L * i, 4);
            device.writes(i, countsAt + 4L * values[i], 4);
        }
        device.expect(() -> memory.ints(countsAt, PagedOracle.counted(values, counts)));
        run(device, "count_values", count, valuesAt, countsAt, (long) count);
    }

    private static void checkBlocks(PagedDevice device, int count) {
        PagedMemory memory = device.memory;
        int[] values = memory.random.ints(count).toArray();
        long[] sums = memory.random.longs(Math.ceilDiv(count, device.local)).toArray();
        long valuesAt = memory.place(4L * count, 4);
        long sumsAt = memory.place(8L * sums.length, 8);
        memory.ints(valuesAt, values);
        memory.longs(sumsAt, sums);
        for (int i = 0; i < count; i++) {
            device.reads(i, valuesAt + 4L * i, 4);
            device.writes(i, sumsAt + 8L * (i / device.local), 8);
        }
        device.expect(() -> memory.longs(sumsAt, PagedOracle.summed(values, device.local, sums)));
        run(device, "sum_blocks", count, valuesAt, sumsAt, (long) count, new ClHarness.Local(8L * device.local));
    }

    private static void checkLists(PagedDevice device, int groups) {
        PagedMemory memory = device.memory;
        long[][] lists = new long[groups * device.local][];
        long[] heads = new long[lists.length];
        for (int l = 0; l < lists.length; l++) {
            lists[l] = memory.random.longs(memory.random.nextInt(6)).toArray();
            for (int i = lists[l].length - 1; i >= 0; i--) {
                long item = memory.place(16, 16);
                memory.longs(item, heads[l], lists[l][i]);
                device.reads(l, item, 16);
                heads[l] = item;
            }
        }
        long[] before = memory.random.longs(lists.length + GUARD).toArray();
        ClHarness.Buffer sums = device.cl.longs(before);
        run(device, "sum_lists", lists.length, device.cl.longs(heads), sums);
        long[] expected = before.clone();
        System.arraycopy(PagedOracle.listSums(lists), 0, expected, 0, lists.length);
        assertThat(sums.toLongs()).as("sums").isEqualTo(expected);
    }

    /// In the first round everything is on the device, and some work-items may run: those and no others have run.
    static void checkLimit(ClHarness cl, SplittableRandom random) {
        int local = random.nextInt(1, 6);
        int groups = random.nextInt(1, 10);
        int mayRun = random.nextInt(groups * local);
        float[] table = wholeFloats(64, random);
        byte[] heap = new byte[256];
        ByteBuffer.wrap(heap).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(table);
        int[] rows = random.ints((long) groups * local, 0, 64).toArray();
        float[] untouched = new float[rows.length];
        Arrays.fill(untouched, -0.5f);
        ClHarness.Buffer out = cl.floats(untouched);
        var host = new PagedHost(cl, heap, BASES[1], 8, 1, 1, random);
        host.bring(0, PagedHost.TO_READ);
        host.begin(Source.resource("paged.cl"), "gather_rows", rows.length, local, BASES[1], cl.ints(rows), out, 1);
        int[] words = host.round(mayRun);
        float[] expected = PagedOracle.gathered(table, rows, 1);
        Arrays.fill(expected, mayRun, rows.length, -0.5f);
        assertThat(out.toFloats()).as("%d of %d groups of %d", mayRun, groups, local).isEqualTo(expected);
        assertThat(Arrays.copyOf(words, 4)).containsExactly(1, mayRun == 0 ? 0 : 1, 0, 0);
        host.finish();
        assertThat(host.rounds()).isEqualTo(2);
        assertThat(out.toFloats()).isEqualTo(PagedOracle.gathered(table, rows, 1));
    }

    /// One work-item of count_values counts at `bad`; the launch names it, and every other byte of the heap is right.
    private static void checkViolation(ClHarness cl, long base, long bad, int what, SplittableRandom random) {
        int pageShift = 7;
        int count = random.nextInt(1, 60);
        int wild = random.nextInt(count);
        boolean reads = random.nextBoolean();
        byte[] heap = Seeded.bytes(random, 10 << pageShift);
        var memory = ByteBuffer.wrap(heap).order(ByteOrder.LITTLE_ENDIAN);
        int[] counts = new int[count];
        for (int i = 0; i < count; i++) {
            memory.putInt(256 + 4 * i, i);
            memory.putInt(512 + 4 * i, 0);
        }
        Source probe = Source.text("probe", """
                #include "hmm.clh"
                kernel void probe(HMM_HEAP, const ulong counts, const ulong bad, const uint wild, const int reads) {
                    HMM_BEGIN;
                    const uint i = get_global_id(0);
                    ulong run;
                    if (i == wild && reads) {
                        global const int *in = HMM_READ_RUN(int, bad, 100, &run);
                        if (!in) {
                            return;
                        }
                    }
                    global int *counter = HMM_WRITE_RUN(int, i == wild ? bad : counts + i * sizeof(int), 1, &run);
                    if (!counter) {
                        return;
                    }
                    *counter = 7;
                    HMM_END;
                }
                """);
        byte[] before = heap.clone();
        var host = new PagedHost(cl, heap, base, pageShift, random.nextInt(1, 11), 4, random);
        host.begin(probe, "probe", count, 1, base + 512, bad, wild, reads ? 1 : 0);
        var violation = catchThrowableOfType(PagedHost.Violation.class, host::finish);
        assertThat(violation).as("base=%#x bad=%#x", base, bad).isNotNull();
        assertThat(violation.what).isEqualTo(what | (reads ? PagedHost.TO_READ : PagedHost.TO_WRITE));
        assertThat(violation.address).isEqualTo(bad);
        assertThat(violation.item).isEqualTo(wild);
        for (int i = 0; i < counts.length; i++) {
            if (i != wild && memory.getInt(512 + 4 * i) == 7) {
                ByteBuffer.wrap(before).order(ByteOrder.LITTLE_ENDIAN).putInt(512 + 4 * i, 7);
            }
        }
        assertThat(heap).as("the heap, base=%#x bad=%#x", base, bad).isEqualTo(before);
        assertThat(host.items()[wild]).isZero();
    }

    /// Whole numbers: what is computed with them is the same with and without a fused multiply-add.
    private static float[] wholeFloats(int count, SplittableRandom random) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextInt(-1000, 1000);
        }
        return values;
    }
}
