package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every kernel of paged.cl under budgets from one page up: the right result, or an error that says what is too small; and it ends.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class SmallestBudgetsTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / Integer.BYTES;
    private static final int LONGS = PAGE / Long.BYTES;
    private static final int MOST = 12; // pages of the largest budget, with which each kernel gives a result
    private static final Pattern KERNEL = Pattern.compile("(?m)^kernel void (\\w+)\\(HMM_HEAP");

    @Test
    void theSmallestBudgetsGiveAResultOrAnError() {
        sweep(Mode.CHECKED);
    }

    @Tag("elsewhere")
    @ParameterizedTest
    @EnumSource(value = Mode.class, mode = EnumSource.Mode.EXCLUDE, names = "CHECKED")
    void theyDoWhereTheHostTouches(Mode mode) {
        sweep(mode);
    }

    private static void sweep(Mode mode) {
        Source source = Source.resource("paged.cl");
        List<String> kernels = KERNEL.matcher(source.text()).results().map(found -> found.group(1)).toList();
        assertThat(kernels).contains("scale_runs", "sum_lists");
        Map<String, Integer> least = new TreeMap<>(); // with a result
        Map<String, Integer> refused = new TreeMap<>();
        for (int budget = 1; budget <= MOST; budget++) {
            try (Hmm hmm = Hmm.builder().hostAccess(mode).heap(ByteSize.mib(64)).pageSize(PAGE).budget((long) budget * PAGE).open()) {
                Program program = hmm.program(source);
                for (String kernel : kernels) {
                    Call call = call(hmm, program.kernel(kernel));
                    try {
                        call.launch().run();
                        call.check().run();
                        least.putIfAbsent(kernel, budget);
                    } catch (DeviceMemoryExhaustedException e) {
                        assertThat(e).as("%s, budget of %d pages", kernel, budget).hasMessageContainingAll("neededBytes=" + e.neededBytes(), "budgetBytes=" + (long) budget * PAGE);
                        assertThat(e.neededBytes()).isGreaterThan((long) budget * PAGE);
                        assertThat(least).as("a larger budget does as well as a smaller one").doesNotContainKey(kernel);
                        refused.merge(kernel, 1, Integer::sum);
                    } catch (RuntimeException | Error e) {
                        throw new AssertionError("%s, budget of %d pages".formatted(kernel, budget), e);
                    }
                    for (Input input : call.inputs()) {
                        assertThat(bytesOf(hmm, input.segment())).as("input of %s, budget of %d pages", kernel, budget).isEqualTo(input.bytes());
                    }
                    call.segments().forEach(hmm.heap()::free);
                    assertThat(hmm.device().usedBytes()).as("after %s, budget of %d pages", kernel, budget).isZero();
                }
            }
        }
        assertThat(least.keySet()).as("with %d pages each gives a result", MOST).containsExactlyInAnyOrderElementsOf(kernels);
        assertThat(refused.keySet()).as("with one page none does").containsExactlyInAnyOrderElementsOf(kernels);
    }

    /// A launch that has not begun, what it should do, and what it must not change.
    ///
    /// @param check that all is as the oracle has it
    private record Call(List<MemorySegment> segments, List<Input> inputs, Runnable launch, Runnable check) {}

    private record Input(MemorySegment segment, byte[] bytes) {}

    /// A kernel that is written tomorrow fails here.
    private static Call call(Hmm hmm, Kernel kernel) {
        SplittableRandom random = new SplittableRandom(5);
        return switch (kernel.name()) {
            case "gather_rows" -> gatherRows(hmm, kernel, random);
            case "gather_values" -> gatherValues(hmm, kernel, random);
            case "scale_runs", "scale_cached" -> scale(hmm, kernel);
            case "join_sums" -> join(hmm, kernel, random);
            case "bfs_level_paged" -> level(hmm, kernel, random);
            case "count_values" -> count(hmm, kernel, random);
            case "sum_blocks" -> blocks(hmm, kernel, random);
            case "sum_lists" -> lists(hmm, kernel, random);
            default -> throw new AssertionError("no call for this kernel of paged.cl: " + kernel.name());
        };
    }

    private static Call gatherRows(Hmm hmm, Kernel kernel, SplittableRandom random) {
        int width = 100; // a row lies on two pages at times
        float[] table = floats(16 * INTS, random);
        int[] rows = random.ints(10, 0, table.length / width).toArray();
        MemorySegment in = of(hmm, MemorySegment.ofArray(table));
        MemorySegment chosen = of(hmm, MemorySegment.ofArray(rows));
        MemorySegment out = hmm.heap().allocate(JAVA_FLOAT, (long) rows.length * width);
        float[] expected = new float[rows.length * width];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = table[rows[i / width] * width + i % width];
        }
        return new Call(List.of(in, chosen, out), inputs(hmm, in, chosen),
                () -> kernel.args(Arg.heap(Arg.in(in)), in.address(), Arg.in(chosen), Arg.out(out), width).launch(NDRange.of(rows.length)).await(),
                () -> assertThat(read(hmm, out).toArray(JAVA_FLOAT)).isEqualTo(expected));
    }

    private static Call gatherValues(Hmm hmm, Kernel kernel, SplittableRandom random) {
        int chunk = 2;
        float[] table = floats(16 * INTS, random);
        int[] index = random.ints(151, 0, table.length).toArray();
        MemorySegment in = of(hmm, MemorySegment.ofArray(table));
        MemorySegment chosen = of(hmm, MemorySegment.ofArray(index));
        MemorySegment out = hmm.heap().allocate(JAVA_FLOAT, index.length);
        float[] expected = new float[index.length];
        for (int i = 0; i < index.length; i++) {
            expected[i] = table[index[i]];
        }
        return new Call(List.of(in, chosen, out), inputs(hmm, in, chosen),
                () -> kernel.args(Arg.heap(Arg.in(in)), in.address(), Arg.in(chosen), Arg.out(out), (long) index.length, chunk).launch(NDRange.of(Math.ceilDiv(index.length, chunk))).await(),
                () -> assertThat(read(hmm, out).toArray(JAVA_FLOAT)).isEqualTo(expected));
    }

    private static Call scale(Hmm hmm, Kernel kernel) {
        int chunk = 700;
        float[] values = floats(16 * INTS, new SplittableRandom(1));
        MemorySegment in = of(hmm, MemorySegment.ofArray(values));
        MemorySegment out = hmm.heap().allocate(4L * values.length, PAGE);
        float[] expected = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            expected[i] = 2 * values[i] + 1;
        }
        return new Call(List.of(in, out), inputs(hmm, in),
                () -> kernel.args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), (long) values.length, chunk, 2f, 1f).launch(NDRange.of(Math.ceilDiv(values.length, chunk)).local(1)).await(),
                () -> assertThat(read(hmm, out).toArray(JAVA_FLOAT)).isEqualTo(expected));
    }

    private static Call join(Hmm hmm, Kernel kernel, SplittableRandom random) {
        int chunk = 300;
        int mask = 63;
        int[] slots = new int[2 * (mask + 1)];
        Arrays.fill(slots, -1);
        int[] values = new int[40];
        for (int key = 1; key < values.length; key += 2) { // the others join nothing
            values[key] = random.nextInt();
            int slot = key * 0x9E3779B1 & mask;
            while (slots[2 * slot] != -1) {
                slot = slot + 1 & mask;
            }
            slots[2 * slot] = key;
            slots[2 * slot + 1] = values[key];
        }
        int[] rows = random.ints(16 * INTS).toArray();
        for (int i = 0; i < rows.length; i += 2) {
            rows[i] = random.nextInt(1, values.length);
        }
        int count = rows.length / 2;
        MemorySegment in = of(hmm, MemorySegment.ofArray(rows));
        MemorySegment built = of(hmm, MemorySegment.ofArray(slots));
        int items = Math.ceilDiv(count, chunk);
        MemorySegment sums = hmm.heap().allocate(JAVA_LONG, items);
        long[] expected = new long[items];
        for (int i = 0; i < count; i++) {
            expected[i / chunk] += (long) rows[2 * i + 1] * values[rows[2 * i]];
        }
        return new Call(List.of(in, built, sums), inputs(hmm, in, built),
                () -> kernel.args(Arg.heap(Arg.in(in)), in.address(), Arg.in(built), mask, Arg.out(sums), (long) count, chunk).launch(NDRange.of(items)).await(),
                () -> assertThat(read(hmm, sums).toArray(JAVA_LONG)).isEqualTo(expected));
    }

    private static Call level(Hmm hmm, Kernel kernel, SplittableRandom random) {
        int vertices = 4 * LONGS;
        int level = 1;
        long[] row = new long[vertices + 1];
        for (int u = 0; u < vertices; u++) {
            row[u + 1] = row[u] + random.nextInt(6);
        }
        int[] col = random.ints(row[vertices], 0, vertices).toArray();
        int[] depth = random.ints(vertices, -1, 3).toArray();
        int[] expected = depth.clone();
        for (int u = 0; u < vertices; u++) {
            for (long e = row[u]; depth[u] == level && e < row[u + 1]; e++) {
                int next = col[(int) e];
                expected[next] = depth[next] == -1 ? level + 1 : depth[next];
            }
        }
        MemorySegment begins = of(hmm, MemorySegment.ofArray(row));
        MemorySegment neighbours = of(hmm, MemorySegment.ofArray(col));
        MemorySegment depths = of(hmm, MemorySegment.ofArray(depth));
        MemorySegment changed = of(hmm, MemorySegment.ofArray(new int[1]));
        return new Call(List.of(begins, neighbours, depths, changed), inputs(hmm, begins, neighbours),
                () -> kernel.args(Arg.heap(Arg.in(begins), Arg.in(neighbours)), begins.address(), neighbours.address(), depths, changed, level, 0, vertices).launch(NDRange.of(vertices)).await(),
                () -> {
                    assertThat(read(hmm, depths).toArray(JAVA_INT)).isEqualTo(expected);
                    assertThat(read(hmm, changed).get(JAVA_INT, 0)).isEqualTo(1);
                });
    }

    private static Call count(Hmm hmm, Kernel kernel, SplittableRandom random) {
        int kinds = 8 * INTS;
        int[] values = random.ints(3000, 0, kinds).toArray();
        int[] before = random.ints(kinds).toArray();
        int[] expected = before.clone();
        for (int value : values) {
            expected[value]++;
        }
        MemorySegment in = of(hmm, MemorySegment.ofArray(values));
        MemorySegment counts = of(hmm, MemorySegment.ofArray(before));
        return new Call(List.of(in, counts), inputs(hmm, in),
                () -> kernel.args(Arg.heap(Arg.in(in), Arg.inOut(counts)), in.address(), counts.address(), (long) values.length).launch(NDRange.covering(new long[] {values.length}, 64)).await(),
                () -> assertThat(read(hmm, counts).toArray(JAVA_INT)).isEqualTo(expected));
    }

    private static Call blocks(Hmm hmm, Kernel kernel, SplittableRandom random) {
        int group = 64;
        int[] values = random.ints(16 * INTS - 5).toArray();
        int groups = Math.ceilDiv(values.length, group);
        long[] before = random.longs(groups).toArray();
        long[] expected = before.clone();
        for (int i = 0; i < values.length; i++) {
            expected[i / group] += values[i];
        }
        MemorySegment in = of(hmm, MemorySegment.ofArray(values));
        MemorySegment sums = of(hmm, MemorySegment.ofArray(before));
        return new Call(List.of(in, sums), inputs(hmm, in),
                () -> kernel.args(Arg.heap(Arg.in(in), Arg.inOut(sums)), in.address(), sums.address(), (long) values.length, Arg.local(8L * group)).launch(NDRange.of((long) groups * group).local(group)).await(),
                () -> assertThat(read(hmm, sums).toArray(JAVA_LONG)).isEqualTo(expected));
    }

    /// Each has items here and there on four pages, which are needed together: who comes to the end of a list begins at its head when it runs again.
    private static Call lists(Hmm hmm, Kernel kernel, SplittableRandom random) {
        int items = 4 * PAGE / 16;
        MemorySegment pool = hmm.heap().allocate(16L * items, PAGE);
        int[] places = IntStream.range(0, items).toArray();
        for (int i = items - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swap = places[i];
            places[i] = places[j];
            places[j] = swap;
        }
        long[] heads = new long[20];
        long[] expected = new long[heads.length];
        long[] words = new long[2 * items];
        for (int i = 0; i < 8 * heads.length; i++) {
            int list = i % heads.length;
            words[2 * places[i]] = heads[list];
            words[2 * places[i] + 1] = random.nextLong();
            expected[list] += words[2 * places[i] + 1];
            heads[list] = pool.address() + 16L * places[i];
        }
        write(hmm, pool, MemorySegment.ofArray(words));
        MemorySegment lists = of(hmm, MemorySegment.ofArray(heads));
        MemorySegment sums = hmm.heap().allocate(JAVA_LONG, heads.length);
        return new Call(List.of(pool, lists, sums), inputs(hmm, pool, lists),
                () -> kernel.args(Arg.heap(Arg.in(pool)), Arg.in(lists), Arg.out(sums)).launch(NDRange.of(heads.length)).await(),
                () -> assertThat(read(hmm, sums).toArray(JAVA_LONG)).isEqualTo(expected));
    }

    /// Whole numbers: what is computed with them is the same with and without a fused multiply-add.
    private static float[] floats(int count, SplittableRandom random) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextInt(-1000, 1000);
        }
        return values;
    }

    private static MemorySegment of(Hmm hmm, MemorySegment values) {
        MemorySegment segment = hmm.heap().allocate(values.byteSize(), PAGE);
        write(hmm, segment, values);
        return segment;
    }

    private static void write(Hmm hmm, MemorySegment segment, MemorySegment values) {
        try (HostView view = hmm.heap().view(segment, Access.WRITE)) {
            view.segment().copyFrom(values);
        }
    }

    private static byte[] bytesOf(Hmm hmm, MemorySegment segment) {
        return read(hmm, segment).toArray(JAVA_BYTE);
    }

    /// A copy.
    private static MemorySegment read(Hmm hmm, MemorySegment segment) {
        try (HostView view = hmm.heap().view(segment, Access.READ)) {
            return Arena.ofAuto().allocate(segment.byteSize(), Long.BYTES).copyFrom(view.segment());
        }
    }

    private static List<Input> inputs(Hmm hmm, MemorySegment... segments) {
        return Arrays.stream(segments).map(segment -> new Input(segment, bytesOf(hmm, segment))).toList();
    }
}
