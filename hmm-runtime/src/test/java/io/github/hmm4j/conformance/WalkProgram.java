package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.Launch;
import io.github.hmm4j.mirror.SnapshotCode;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// A fixed little program that makes a device do everything it can do, with what must come of each step: two of its three arrays fill the device.
final class WalkProgram {

    static final int PAGES = 6;
    static final int BUDGET_PAGES = 2 * PAGES;

    /// One thing that the program asks of the heap.
    ///
    /// @param operation what to do; returns a launch to be awaited, or null
    /// @param effect    what it does to the arrays; if the host does the step, once more does no more
    /// @param byHost    whether the host loads or stores
    record Step(String name, Supplier<Launch> operation, Runnable effect, boolean byHost) {

        Step(String name, Supplier<Launch> operation, Runnable effect) {
            this(name, operation, effect, false);
        }
    }

    /// A managed array and what it should hold.
    record Numbers(MemorySegment managed, int[] expected) {

        void replace(int first, int count, IntUnaryOperator next) {
            for (int i = first; i < first + count; i++) {
                expected[i] = next.applyAsInt(i);
            }
        }
    }

    private final Rig rig;
    private final int ints;
    private final Numbers a;
    private final Numbers b;
    private final Numbers c;

    WalkProgram(Rig rig) {
        this.rig = rig;
        ints = PAGES * rig.pageBytes() / 4;
        a = numbers();
        b = numbers();
        c = numbers();
    }

    private Numbers numbers() {
        return new Numbers(rig.pages(PAGES), new int[ints]);
    }

    List<Numbers> all() {
        return List.of(a, b, c);
    }

    List<Step> steps() {
        int half = ints / 2;
        List<Step> steps = new ArrayList<>();
        steps.add(hostWrite("the host writes a", a, 0, ints, 0));
        steps.add(hostWrite("the host writes b", b, 0, half, 5000));
        steps.add(new Step("a kernel reads and writes a", () -> rig.launchAdd(rig.device(0), a.managed, 5),
                () -> a.replace(0, ints, i -> a.expected[i] + 5)));
        steps.add(copy("a kernel copies a to b", a.managed, Arg.out(b.managed), a, b));
        steps.add(addTo("one page of c", c, 2, 1));
        steps.add(addTo("its neighbours too, so that it has to change its place", c, 1, 3));
        steps.add(hostRead("the host reads a", a));
        steps.add(new Step("a kernel fills c", () -> rig.launchFill(rig.device(0), Arg.out(c.managed), 900),
                () -> c.replace(0, ints, i -> 900 + i)));
        steps.add(copy("a kernel copies c to a", Arg.in(c.managed), a.managed, c, a));
        steps.add(new Step("half of a gets a number added", () -> rig.launchAdd(rig.device(0), a.managed.asSlice(512, 4L * half), 3),
                () -> a.replace(128, half, i -> a.expected[i] + 3)));
        steps.add(move("b is prefetched", () -> rig.heap.prefetch(b.managed, rig.device(0))));
        steps.add(move("b comes home", () -> rig.heap.prefetchHost(b.managed)));
        steps.add(move("c migrates", () -> rig.heap.migrate(c.managed, rig.device(0))));
        steps.add(copy("a kernel copies b to c", b.managed, Arg.inOut(c.managed), b, c));
        steps.add(hostWrite("the host writes in c", c, half, 700, -40));
        steps.add(copy("a kernel copies c to b", c.managed, Arg.out(b.managed), c, b));
        steps.add(move("everything is evicted", () -> rig.hmm.evictAll(rig.device(0))));
        steps.add(new Step("a kernel reads and writes c", () -> rig.launchAdd(rig.device(0), c.managed, -1),
                () -> c.replace(0, ints, i -> c.expected[i] - 1)));
        steps.add(hostRead("the host reads c", c));
        return steps;
    }

    private Step addTo(String name, Numbers numbers, int firstPage, int pages) {
        int perPage = rig.pageBytes() / 4;
        return new Step(name, () -> rig.launchAdd(rig.device(0), rig.page(numbers.managed, firstPage, pages), 11),
                () -> numbers.replace(firstPage * perPage, pages * perPage, i -> numbers.expected[i] + 11));
    }

    private Step hostWrite(String name, Numbers numbers, int first, int count, int start) {
        return new Step(name, () -> {
            rig.writeRamp(numbers.managed.asSlice(4L * first, 4L * count), start);
            return null;
        }, () -> numbers.replace(first, count, i -> start + i - first), true);
    }

    private Step hostRead(String name, Numbers numbers) {
        Step read = move(name, () -> Rig.assertSame(rig.read(numbers.managed), numbers.expected));
        return new Step(name, read.operation(), read.effect(), true);
    }

    private Step copy(String name, Object from, Object to, Numbers source, Numbers target) {
        return new Step(name, () -> rig.launchCopy(rig.device(0), from, to), () -> target.replace(0, ints, i -> source.expected[i]));
    }

    private static Step move(String name, Runnable operation) {
        return new Step(name, () -> {
            operation.run();
            return null;
        }, () -> {});
    }

    /// Where all pages are, one line for each array: what the device sees, and how many pages are where.
    List<SnapshotCode> where() {
        return all().stream().flatMap(numbers -> rig.snap(rig.device(0), numbers.managed).stream()).toList();
    }

    /// The segment of a page by its place in [#where()].
    MemorySegment page(int index) {
        return rig.page(all().get(index / PAGES).managed, index % PAGES, 1);
    }

    int[] expectedOf(int index) {
        int perPage = rig.pageBytes() / 4;
        int first = index % PAGES * perPage;
        return Arrays.copyOfRange(all().get(index / PAGES).expected, first, first + perPage);
    }

    /// What all pages should hold, in the order of [#where()].
    List<int[]> expected() {
        return IntStream.range(0, all().size() * PAGES).mapToObj(this::expectedOf).toList();
    }

    /// The host writes what should be there.
    void writeAll() {
        all().forEach(numbers -> rig.write(numbers.managed, numbers.expected));
    }

    void assertEveryByteRight() {
        for (Numbers numbers : all()) {
            try (var view = rig.heap.view(numbers.managed, Access.READ)) {
                Rig.assertSame(view.segment().toArray(JAVA_INT), numbers.expected);
            }
        }
    }
}
