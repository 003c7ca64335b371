package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.pager.HostAccess;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/// What it costs that the host touches managed memory with plain loads and stores, wherever a page is; every row for several page sizes.
final class FaultBench implements Bench {
    private static final long PATIENCE_NANOS = 1_000_000_000L;

    private final Sizes sizes;

    /// @param pageSizes      one row each, unless the command line chooses one
    /// @param singleBytes    where single faults are measured, a power of two
    /// @param bulkBytes      touched or moved as a whole
    /// @param faultsPerRound of our faults, before and after as many of the floor
    /// @param parallelFaults shared by the threads
    /// @param safepoints     at least so many for one row
    record Sizes(List<Long> pageSizes, long singleBytes, long bulkBytes, int faultsPerRound, int parallelFaults, int safepoints, int warmUps,
        int runs, MatmulBench.Sizes matmul) {
        static final Sizes FULL = new Sizes(List.of(ByteSize.kib(4), ByteSize.kib(64), ByteSize.mib(2)), ByteSize.mib(64), ByteSize.mib(256), 200,
            2000, 1000, 5, 41, MatmulBench.Sizes.FULL);
    }

    FaultBench(Sizes sizes) {
        this.sizes = sizes;
    }

    @Override
    public String name() {
        return "fault";
    }

    @Override
    public String question() {
        return "What does it cost to touch managed memory directly, wherever it is?";
    }

    @Override
    public List<BenchRow> run(RunContext context) throws Exception {
        HostAccess.Mode mode = requireDirectAccess(context.device(), name());
        try (Arena arena = Arena.ofShared()) {
            Touch.warmUp(arena.allocate(ByteSize.mib(4)));
        }
        List<BenchRow> rows = new ArrayList<>();
        try (Floor.Beside floor = Floor.beside(mode, sizes.singleBytes)) {
            for (long pageBytes : pageSizes(context.device())) {
                rows.addAll(rows(withPageSize(context, pageBytes), pageBytes, floor));
            }
        }
        return rows;
    }

    private List<BenchRow> rows(RunContext context, long pageBytes, Floor.Beside floor) throws Exception {
        List<BenchRow> rows = new ArrayList<>();
        DeviceChoice device = context.device();
        try (Hmm hmm = Subject.heap(device, 4 * sizes.bulkBytes).open()) {
            rows.addAll(new TouchRows(hmm, sizes, context.progress()).rows());
        }
        // Single faults: nothing comes along with a page.
        try (Hmm hmm = Subject.heap(device, 4 * sizes.singleBytes).faultAround(0).open()) {
            rows.addAll(new FaultRows(hmm, sizes, floor, context.progress()).rows());
            rows.add(new SafepointRow(hmm, sizes, context.progress()).row());
        }
        try (Hmm hmm = Subject.heap(device, 4 * sizes.bulkBytes).open(); BareOpenCl bare = BareOpenCl.beside(hmm)) {
            rows.addAll(new BulkRows(hmm, bare, sizes, context.progress()).rows());
        }
        context.progress().step(named("matmul.transparent", pageBytes));
        rows.addAll(MatmulBench.withoutViews(sizes.matmul, named("matmul.transparent", pageBytes)).run(context));
        return rows;
    }

    /// @param bench that touches managed memory directly
    static HostAccess.Mode requireDirectAccess(DeviceChoice device, String bench) throws IOException {
        try (Hmm hmm = Subject.heap(device, ByteSize.mib(16)).open()) {
            HostAccess access = hmm.hostAccess();
            if (access.mode() == HostAccess.Mode.CHECKED) {
                throw new IOException("benchmark '%s' touches managed memory directly, but hostAccess=%s: %s".formatted(bench, access.mode(), access.why()));
            }
            return access.mode();
        }
    }

    private List<Long> pageSizes(DeviceChoice device) {
        OptionalLong chosen = device.pageSizeBytes();
        return chosen.isPresent() ? List.of(chosen.getAsLong()) : sizes.pageSizes;
    }

    private static RunContext withPageSize(RunContext context, long pageBytes) {
        return new RunContext(context.device().withPageSize(pageBytes), context.out(), context.progress());
    }

    /// Rows of one kind differ in the page size only: `fault.read.64KiB`.
    static String named(String row, long pageBytes) {
        return pageBytes < ByteSize.mib(1) ? row + "." + pageBytes / ByteSize.kib(1) + "KiB" : row + "." + pageBytes / ByteSize.mib(1) + "MiB";
    }

    /// Brings a segment to the device so that the host has neither a valid copy nor a mapping of any of its pages.
    static void moveToDevice(Hmm hmm, MemorySegment segment) {
        HmmDevice device = hmm.device();
        hmm.heap().prefetch(segment, device);
        if (hmm.heap().residency(segment).onDevice(device) != segment.byteSize()) {
            throw new IllegalStateException("expected all of it on the device: " + hmm.heap().residency(segment));
        }
    }

    /// Touches must have been faults: so much of the segment, and no more, has a valid copy on the host again. What came along with a touch can be read a moment before its page says so.
    static void requireAtHome(Hmm hmm, MemorySegment segment, long lengthBytes) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (hmm.heap().residency(segment).onDevice(hmm.device()) != segment.byteSize() - lengthBytes) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("expected " + lengthBytes + " bytes to have come home: " + hmm.heap().residency(segment));
            }
            Thread.onSpinWait();
        }
    }
}
