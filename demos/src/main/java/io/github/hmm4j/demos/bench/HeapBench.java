package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.device.DeviceInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/// What it costs to open a very large heap and allocate all of it, before anything is touched, and to free that again; and what each page takes that is used.
final class HeapBench implements Bench {
    private static final long SMALL_HEAP_BYTES = ByteSize.mib(2);
    private static final int SMALL_PAGE_BYTES = 4096; // the more pages, the more there would be to look at

    private final Sizes sizes;

    record Sizes(long heapBytes, int warmUps, int runs, TableMemory.Sizes tables) {
        static final Sizes FULL = new Sizes(ByteSize.tib(1), 3, 21, new TableMemory.Sizes(ByteSize.gib(16), 131_072, 4_096, 2, 7));
    }

    HeapBench(Sizes sizes) {
        this.sizes = sizes;
    }

    @Override
    public String name() {
        return "heap";
    }

    @Override
    public String question() {
        return "What does a heap cost before it is used, and how much memory for each page that is?";
    }

    @Override
    public List<BenchRow> run(RunContext context) throws Exception {
        Samples time = new Samples();
        Samples memory = new Samples();
        Samples freeing = new Samples();
        for (int run = -sizes.warmUps; run < sizes.runs; run++) {
            Opened small = open(context.device(), SMALL_HEAP_BYTES);
            Opened large = open(context.device(), sizes.heapBytes);
            long freeNanos = free(context.device(), sizes.heapBytes);
            if (run >= 0) {
                freeing.add(freeNanos / 1e6);
                time.add(large.nanos / 1e6);
                memory.add((large.residentBytes - small.residentBytes) / (double) ByteSize.mib(1));
            }
            context.progress().update(run + sizes.warmUps, sizes.runs + sizes.warmUps);
        }
        Subject.Rows rows = Subject.rows(open(context.device(), SMALL_HEAP_BYTES).device);
        Map<String, Long> what = Map.of("heapBytes", sizes.heapBytes, "smallHeapBytes", SMALL_HEAP_BYTES);
        return List.of(
            rows.value("heap.open", time, "ms", "none", what, Target.atMost(time.median(), 100)),
            rows.value("heap.resident", memory, "MiB", "more than a heap of 2 MiB", what, Target.atMost(memory.median(), 64)),
            rows.value("heap.free", freeing, "ms", "none", Map.of("heapBytes", sizes.heapBytes, "pageBytes", (long) SMALL_PAGE_BYTES), Target.atMost(freeing.median(), 100)),
            new TableMemory(context.device(), sizes.tables, context.progress(), ProcessMemory::ownBytes).row());
    }

    /// All of a heap but for its first pages, as one allocation, which is gone afterwards and can be made again.
    private static long free(DeviceChoice choice, long heapBytes) {
        try (Hmm hmm = Subject.heap(choice, heapBytes).pageSize(SMALL_PAGE_BYTES).open()) {
            hmm.heap().allocate(SMALL_PAGE_BYTES);
            MemorySegment rest = hmm.heap().allocate(heapBytes - SMALL_HEAP_BYTES, 1);
            long start = System.nanoTime();
            hmm.heap().free(rest);
            long nanos = System.nanoTime() - start;
            if (hmm.heap().usedBytes() != SMALL_PAGE_BYTES || hmm.heap().contains(rest.address())) {
                throw new IllegalStateException("it is still there: usedBytes=" + hmm.heap().usedBytes());
            }
            writeAndRead(hmm.heap(), hmm.heap().allocate(heapBytes - SMALL_HEAP_BYTES, 1).asSlice(heapBytes / 2, Long.BYTES), 3);
            return nanos;
        }
    }

    private record Opened(long nanos, long residentBytes, DeviceInfo device) {}

    /// Opens the device and a heap, allocates all of it, and uses both ends.
    private static Opened open(DeviceChoice choice, long heapBytes) throws IOException {
        System.gc(); // garbage of the last round would count as memory of this one
        long start = System.nanoTime();
        try (Hmm hmm = Subject.heap(choice, heapBytes).open()) {
            MemorySegment all = hmm.heap().allocate(heapBytes);
            long nanos = System.nanoTime() - start;
            writeAndRead(hmm.heap(), all.asSlice(0, Long.BYTES), 1);
            writeAndRead(hmm.heap(), all.asSlice(heapBytes - Long.BYTES), 2);
            return new Opened(nanos, ProcessMemory.residentBytes(), hmm.device().info());
        }
    }

    private static void writeAndRead(ManagedHeap heap, MemorySegment word, long value) {
        try (var view = heap.view(word, Access.WRITE)) {
            view.segment().set(JAVA_LONG, 0, value);
        }
        try (var view = heap.view(word, Access.READ)) {
            if (view.segment().get(JAVA_LONG, 0) != value) {
                throw new IllegalStateException("wrong bytes: expected=" + value + ", found=" + view.segment().get(JAVA_LONG, 0));
            }
        }
    }
}
