package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.migrate.MigrationReport;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/// What a heap takes to remember a page that host and one device have used: memory of the process that is not data.
///
/// A heap with the same bytes in pages of 2 MiB remembers 512 times fewer, and has all else in the same way: the data of host and device, staging, what the driver has. So the difference of the
/// two is what is remembered of pages, wherever that is. The host's data is in a file in memory besides, and the Java heap is counted by what is alive on it, since its garbage comes and goes.
final class TableMemory {
    private static final long PAGE_BYTES = 4096;
    private static final long LARGE_PAGE_BYTES = 2 << 20;

    private final DeviceChoice choice;
    private final Sizes sizes;
    private final Progress progress;
    private final Probe probe;

    /// What there is of the memory that counts.
    @FunctionalInterface
    interface Probe {
        long bytes() throws IOException;
    }

    /// @param heapBytes   of address space
    /// @param pages       of 4 KiB that are used, one behind the other
    /// @param sparsePages that are used instead, one in each 2 MiB
    record Sizes(long heapBytes, long pages, long sparsePages, int warmUps, int runs) {}

    TableMemory(DeviceChoice choice, Sizes sizes, Progress progress, Probe probe) {
        this.choice = choice;
        this.sizes = sizes;
        this.progress = progress;
        this.probe = probe;
    }

    BenchRow row() throws IOException {
        String name = "table.memory";
        progress.step(name);
        Samples dense = new Samples();
        Samples sparse = new Samples();
        for (int run = -sizes.warmUps; run < sizes.runs; run++) {
            double together = rememberedBytes(sizes.pages, PAGE_BYTES);
            double apart = rememberedBytes(sizes.sparsePages, LARGE_PAGE_BYTES);
            if (run >= 0) {
                dense.add(together);
                sparse.add(apart);
            }
            progress.update(run + sizes.warmUps, sizes.runs + sizes.warmUps);
        }
        try (Hmm hmm = heap(PAGE_BYTES)) { // whose device the row names
            return Subject.rows(hmm).value(name, dense, "bytes/page", "the same bytes in pages of 2 MiB",
                Map.of("heapBytes", sizes.heapBytes, "pageSizeBytes", PAGE_BYTES, "pages", sizes.pages, "sparsePages", sizes.sparsePages,
                    "sparseBytesPerPage", Math.round(sparse.median())),
                Target.atMost(dense.median(), 16));
        }
    }

    /// For each page of 4 KiB, if they begin so far from each other.
    private double rememberedBytes(long pages, long stepBytes) throws IOException {
        long bytes = pages * PAGE_BYTES;
        return (double) (takenBytes(PAGE_BYTES, pages, stepBytes) - takenBytes(LARGE_PAGE_BYTES, bytes / LARGE_PAGE_BYTES, LARGE_PAGE_BYTES)) / pages;
    }

    /// As much device memory as all pages take that are used: less than the heap, so that frames are found for them.
    private Hmm heap(long pageBytes) {
        return Subject.heap(choice, sizes.heapBytes).pageSize(pageBytes).budget(sizes.pages * PAGE_BYTES).open();
    }

    /// By using pages of a heap that is open.
    private long takenBytes(long pageBytes, long pages, long stepBytes) throws IOException {
        try (Hmm hmm = heap(pageBytes)) {
            MemorySegment all = hmm.heap().allocate(pages * stepBytes, LARGE_PAGE_BYTES);
            long before = probe.bytes();
            if (stepBytes == pageBytes) {
                use(hmm, all, pageBytes);
            } else {
                for (long at = 0; at < all.byteSize(); at += stepBytes) {
                    use(hmm, all.asSlice(at, pageBytes), pageBytes);
                }
            }
            return probe.bytes() - before;
        }
    }

    /// By the host, which writes to each page, and by the device, which gets all of them.
    private static void use(Hmm hmm, MemorySegment segment, long pageBytes) {
        ManagedHeap heap = hmm.heap();
        try (var view = heap.view(segment, Access.WRITE)) {
            for (long at = 0; at < segment.byteSize(); at += pageBytes) {
                view.segment().set(JAVA_LONG, at, at + 1);
            }
        }
        MigrationReport report = heap.prefetch(segment, hmm.device());
        if (!report.allResident() || report.bytesCopied() != segment.byteSize()) {
            throw new IllegalStateException("expected bytes=" + segment.byteSize() + " to move, but: " + report);
        }
    }
}
