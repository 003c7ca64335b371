package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// Runs a kernel over a heap in one of its forms, and checks the heap and what was touched against what was foretold.
final class PagedDevice {
    final ClHarness cl;
    final PagedMemory memory;
    final int local;
    private final PagedTest.Form form;
    private final int queueEntries;
    private final SplittableRandom random;
    private final BitSet read = new BitSet();
    private final BitSet written = new BitSet();
    private final Map<Integer, BitSet> byGroup = new HashMap<>();
    private final List<long[]> open = new ArrayList<>(); // {address, bytes}
    private Runnable expected = () -> {};

    PagedDevice(ClHarness cl, PagedTest.Form form, PagedMemory memory, int local, int queueEntries, SplittableRandom random) {
        this.cl = cl;
        this.form = form;
        this.memory = memory;
        this.local = local;
        this.queueEntries = queueEntries;
        this.random = random;
    }

    void reads(int item, long at, long lengthBytes) {
        use(read, item, at, lengthBytes);
    }

    void writes(int item, long at, long lengthBytes) {
        use(written, item, at, lengthBytes);
    }

    private void use(BitSet pages, int item, long at, long lengthBytes) {
        int first = memory.index(at) >> memory.pageShift;
        int end = (memory.index(at + lengthBytes - 1) >> memory.pageShift) + 1;
        pages.set(first, end);
        byGroup.computeIfAbsent(item / local, _ -> new BitSet()).set(first, end);
    }

    /// What the kernel changes in the heap.
    void expect(Runnable change) {
        expected = change;
    }

    /// What the kernel may leave there is its own affair.
    void leavesOpen(long at, long lengthBytes) {
        open.add(new long[] {at, lengthBytes});
    }

    /// @param options for the compiler, beside those of the form
    void run(Source source, String options, String kernel, int count, Object... args) {
        long global = (long) Math.ceilDiv(count, local) * local;
        byte[] heap = memory.heap();
        int pageCount = heap.length >> memory.pageShift;
        int needed = byGroup.values().stream().mapToInt(BitSet::cardinality).max().orElse(1);
        int frames = random.nextBoolean() ? needed : random.nextInt(needed, pageCount + 1);
        String what = "%s, %s: base=%#x, %d pages of %d bytes, %d frames, %d items in groups of %d, queue of %d"
                .formatted(kernel, form, memory.base, pageCount, 1 << memory.pageShift, frames, count, local,
                        queueEntries);
        switch (form) {
            case APERTURE -> {
                ClHarness.Buffer image = cl.bytes(heap);
                cl.build(source, options).kernel(kernel).args(withHeap(image, args)).run(new long[] {global}, new long[] {local});
                heap = image.toBytes();
            }
            case PLAIN -> {
                assumeTrue(cl.reachesHostMemory(), "the device does not reach the host's memory at the host's addresses");
                MemorySegment host = memory.host();
                cl.build(source, options + " -DHMM_PLAIN").kernel(kernel).args(withHeap(cl.bytes(), args)).run(new long[] {global}, new long[] {local});
                heap = host.toArray(ValueLayout.JAVA_BYTE);
            }
            case PAGED -> {
                var host = new PagedHost(cl, heap, memory.base, memory.pageShift, frames, queueEntries, random);
                host.scatter();
                host.tune(options);
                host.begin(source, kernel, global, local, args);
                host.finish();
                assertThat(host.read()).as("pages read, %s", what).isEqualTo(read);
                assertThat(host.written()).as("pages written, %s", what).isEqualTo(written);
            }
        }
        expected.run();
        for (long[] range : open) {
            int at = memory.index(range[0]);
            memory.bytes(range[0], Arrays.copyOfRange(heap, at, Math.toIntExact(at + range[1])));
        }
        assertThat(heap).as(what).isEqualTo(memory.heap());
    }

    private Object[] withHeap(ClHarness.Buffer image, Object... args) {
        Object[] all = new Object[args.length + 2];
        all[0] = image;
        all[1] = memory.base;
        System.arraycopy(args, 0, all, 2, args.length);
        return all;
    }
}
