package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.pager.HostAccess;
import java.util.ArrayList;
import java.util.List;

/// What kernels pay that go through the device's page table: where all they use is on the device, and where it cannot be.
///
/// Each row opens a heap of its own, whose size against the budget chooses how its kernels are compiled.
final class PagedBench implements Bench {
    /// Of the budget the runtime keeps a quarter for arguments that lie in one piece.
    private static final int ROOM = 16;
    private static final long SMALL_THINGS = ByteSize.mib(16);
    private static final int LEAST_PAGES = 256; // that a device whose kernels fault has room for at least
    private static final double GPU_LIMIT = 1.05; // a GPU has other threads to run while one looks at the table
    private static final long FLOOR_BYTES = ByteSize.mib(64);

    private final Sizes sizes;

    /// @param arrayBytes   of one array, of those that are on the device as a whole
    /// @param gatherBytes  of a table that is there as a whole, larger than caches
    /// @param gathers      of 4 bytes each from it
    /// @param listItems    of 16 bytes, in lists of [ApertureList#LENGTH]
    /// @param streamBytes  of input and output together where they do not fit
    /// @param tableBytes   of which a hundredth of the pages is used, with an eighth as budget
    record Sizes(long arrayBytes, long gatherBytes, int gathers, int listItems, long streamBytes, long tableBytes, int warmUps, int runs) {
        static final Sizes FULL = new Sizes(ByteSize.mib(32), ByteSize.mib(128), 4 << 20, 1 << 20, ByteSize.mib(96), ByteSize.mib(256), 5, 31);
    }

    PagedBench(Sizes sizes) {
        this.sizes = sizes;
    }

    @Override
    public String name() {
        return "paged";
    }

    @Override
    public String question() {
        return "What do kernels pay that go through a page table, with all of their data on the device and without?";
    }

    @Override
    public List<BenchRow> run(RunContext context) throws Exception {
        List<BenchRow> rows = new ArrayList<>();
        try (Hmm hmm = roomy(context, sizes.arrayBytes)) {
            PagedResident resident = new PagedResident(hmm, sizes, context.progress());
            boolean gpu = hmm.device().info().kind() != DeviceInfo.Kind.CPU && !DiscreteBench.isEmulated(); // the kernels of one that is emulated are the processor's
            rows.addAll(List.of(resident.stream("paged.stream.hoisted", "scale_runs", gpu ? GPU_LIMIT : 1.1), resident.stream("paged.stream.cached", "scale_cached", gpu ? GPU_LIMIT : 2)));
        }
        try (Hmm hmm = roomy(context, Math.max(sizes.gatherBytes, sizes.gathers * (long) Float.BYTES) / 2)) {
            rows.add(new PagedResident(hmm, sizes, context.progress()).gather());
        }
        long listHeapBytes = 4L * sizes.listItems * ApertureList.ITEM_BYTES + SMALL_THINGS;
        try (Hmm hmm = heap(context, listHeapBytes, 2 * listHeapBytes)) {
            rows.add(new ApertureList(hmm, sizes, context.progress()).row());
        }
        for (double factor : new double[] {1.5, 4}) {
            try (Hmm resident = heap(context, 8 * sizes.streamBytes, 4 * sizes.streamBytes);
                Hmm hmm = heap(context, 2 * sizes.streamBytes, (long) (sizes.streamBytes / factor)); BareOpenCl bare = BareOpenCl.beside(hmm)) {
                rows.add(new OversubscribedStream(hmm, resident, bare, factor, sizes, context.progress()).row());
            }
        }
        try (Hmm hmm = heap(context, 2 * sizes.tableBytes, sizes.tableBytes / 8)) {
            rows.add(new OversubscribedGather(hmm, sizes, context.progress()).row());
        }
        try (Hmm hmm = roomy(context, sizes.arrayBytes); BareOpenCl bare = BareOpenCl.beside(hmm)) {
            rows.addAll(new FaultRounds(hmm, bare, sizes, context.progress()).rows());
        }
        if (kernelsFault(context)) {
            rows.addAll(trapRows(context));
        }
        return rows;
    }

    /// Unmodified kernels: where they cannot fault, there is nothing to measure.
    private List<BenchRow> trapRows(RunContext context) throws Exception {
        List<BenchRow> rows = new ArrayList<>();
        TrapRows trap = new TrapRows(sizes, context.progress());
        long arrays = 2 * sizes.arrayBytes + LEAST_PAGES * pageBytes(context);
        try (Hmm faulting = faulting(context, arrays, arrays).open(); Hmm windows = heap(context, arrays, arrays)) {
            rows.add(trap.resident(faulting, windows));
        }
        long pages = TrapRows.FAULTS + LEAST_PAGES;
        try (Hmm hmm = faulting(context, 2 * pages * pageBytes(context), pages * pageBytes(context)).faultAround(0).open();
            Floor.Beside floor = Floor.beside(HostAccess.Mode.UFFD, FLOOR_BYTES)) {
            rows.add(trap.fault(hmm, floor));
        }
        try (Hmm resident = faulting(context, 2 * sizes.streamBytes, 2 * sizes.streamBytes).open();
            Hmm hmm = faulting(context, 2 * sizes.streamBytes, Math.max(sizes.streamBytes / 4, LEAST_PAGES * pageBytes(context))).open(); BareOpenCl bare = BareOpenCl.beside(hmm)) {
            rows.add(trap.stream(hmm, resident, bare));
        }
        return rows;
    }

    private static boolean kernelsFault(RunContext context) {
        try (Hmm hmm = heap(context, SMALL_THINGS, SMALL_THINGS)) {
            return hmm.hostAccess().mode() == HostAccess.Mode.UFFD && hmm.device().info().kind() == DeviceInfo.Kind.CPU;
        }
    }

    private static long pageBytes(RunContext context) {
        return context.device().pageSizeBytes().orElse(ByteSize.kib(64));
    }

    private static HmmBuilder faulting(RunContext context, long heapBytes, long budgetBytes) {
        return Subject.heap(context.device().withBudget(budgetBytes), heapBytes).deviceFaults();
    }

    /// A heap that is larger than its budget, which has room for a dozen of such arrays.
    private static Hmm roomy(RunContext context, long arrayBytes) {
        return heap(context, 2 * ROOM * arrayBytes, ROOM * arrayBytes);
    }

    private static Hmm heap(RunContext context, long heapBytes, long budgetBytes) {
        return Subject.heap(context.device().withBudget(budgetBytes), heapBytes).open();
    }
}
