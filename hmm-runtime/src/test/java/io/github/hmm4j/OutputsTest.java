package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What kernels overwrite, and leave out of it.
@Timeout(60)
class OutputsTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / 4;
    private static final int FRAMES = 4;
    private static final int EDGE = 1000;

    private static final String EDGES = """
        kernel void edges(global int *a, global int *b, global int *c, global int *d, const int value) {
            a[0] = b[0] = c[0] = d[0] = value;
        }
        """;

    private static final int LAUNCHES = 300;

    private static final String FILL = """
        kernel void fill_numbers(global int *numbers, const int number) {
            numbers[get_global_id(0)] = number;
        }
        """;

    /// Each region is filled with a byte of its own, all lie on the device in turns, and each is then an output of which the kernel writes next to nothing. What is left out is undefined, but
    /// not another region's.
    @ParameterizedTest
    @EnumSource(names = {"UFFD", "CHECKED"})
    void whatAKernelLeavesOutShowsNobodyElsesBytes(Mode mode) {
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(1)).pageSize(PAGE).hostAccess(mode).budget(FRAMES * PAGE).open()) {
            Kernel add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
            Kernel edges = hmm.program(Source.text("edges.cl", EDGES)).kernel("edges");
            List<Integer> order = new ArrayList<>(IntStream.range(0, 2 * FRAMES).boxed().toList());
            List<MemorySegment> regions = order.stream().map(_ -> hmm.heap().allocate(PAGE, PAGE)).toList();
            Random random = new Random(5);
            for (int round = 0; round < 20; round++) {
                Collections.shuffle(order, random);
                for (int i : order) {
                    hmm.heap().fill(regions.get(i), own(i));
                    add.args(regions.get(i), 0, INTS).launch(NDRange.of(INTS)).await();
                }
                Collections.shuffle(order, random);
                List<Integer> outputs = order.subList(0, FRAMES);
                Object[] arguments = Stream.concat(outputs.stream().map(i -> Arg.out(regions.get(i))), Stream.of(EDGE)).toArray();
                edges.args(arguments).launch(NDRange.of(1)).await();
                for (int i : outputs) {
                    try (var view = hmm.heap().view(regions.get(i), Access.READ)) {
                        byte[] bytes = view.segment().toArray(JAVA_BYTE);
                        assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(EDGE);
                        assertThat(Arrays.copyOfRange(bytes, Integer.BYTES, PAGE)).as("round %d", round).containsOnly(bytes[PAGE - 1]);
                        assertThat(bytes[PAGE - 1]).as("round %d", round).isIn((byte) 0, own(i));
                    }
                }
            }
        }
    }

    /// One thread overwrites the same pages again and again, each time with a larger number, and takes them home in between as it likes. Whoever looks sees a number that is complete, and never
    /// an older one than before.
    @ParameterizedTest
    @EnumSource(names = {"UFFD", "SIGSEGV", "CHECKED"})
    void whoeverLooksSeesWhatOneKernelHasWritten(Mode mode) {
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(1)).pageSize(PAGE).hostAccess(mode).budget(FRAMES * PAGE).open()) {
            Kernel fill = hmm.program(Source.text("fill.cl", FILL)).kernel("fill_numbers");
            Kernel copy = hmm.program(Source.resource("access.cl")).kernel("copy_ints");
            MemorySegment numbers = hmm.heap().allocate(2 * PAGE, PAGE);
            MemorySegment seen = hmm.heap().allocate(2 * PAGE, PAGE);
            AtomicBoolean over = new AtomicBoolean();
            List<Background<Integer>> readers = new ArrayList<>();
            readers.add(Background.call(() -> look(over, () -> viewed(hmm, numbers))));
            readers.add(Background.call(() -> look(over, () -> {
                copy.args(numbers, Arg.out(seen), 2 * INTS).launch(NDRange.of(2 * INTS)).await();
                return viewed(hmm, seen);
            })));
            if (mode != Mode.CHECKED) {
                readers.add(Background.call(() -> look(over, () -> {
                    int first = numbers.getAtIndex(JAVA_INT, 1);
                    int last = numbers.getAtIndex(JAVA_INT, INTS + 1); // of the other page, later
                    assertThat(last).isGreaterThanOrEqualTo(first);
                    return first;
                })));
            }
            Random random = new Random(9);
            for (int number = 1; number <= LAUNCHES; number++) {
                fill.args(Arg.out(numbers), number).launch(NDRange.of(2 * INTS)).await();
                if (random.nextBoolean()) {
                    hmm.heap().prefetchHost(numbers);
                }
            }
            over.set(true);
            for (Background<Integer> reader : readers) {
                assertThat(reader.join()).isBetween(1, LAUNCHES);
            }
            assertThat(viewed(hmm, numbers)).isEqualTo(LAUNCHES);
        }
    }

    /// Looks until it is over and a number was seen. The last one.
    private static int look(AtomicBoolean over, Callable<Integer> reader) throws Exception {
        int last = 0;
        while (!over.get() || last == 0) {
            int number = reader.call();
            assertThat(number).isBetween(last, LAUNCHES);
            last = number;
        }
        return last;
    }

    private static int viewed(Hmm hmm, MemorySegment segment) {
        try (var view = hmm.heap().view(segment, Access.READ)) {
            int[] ints = view.segment().toArray(JAVA_INT);
            assertThat(ints).containsOnly(ints[0]);
            return ints[0];
        }
    }

    private static byte own(int region) {
        return (byte) (1 + region);
    }
}
