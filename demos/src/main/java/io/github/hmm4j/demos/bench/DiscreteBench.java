package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.pager.HostAccess;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What migration costs over a bus, on a device with memory of its own, beside what that bus can do.
///
/// On an emulated GPU that keeps time as well as on a real one; each row says which.
final class DiscreteBench implements Bench {
    private static final String EMULATED_SETTING = "HMM_EMULATED_GPU";
    private static final long SCATTERED_SMALL_PAGE_BYTES = ByteSize.kib(4);
    private static final long PAGE_BYTES = ByteSize.kib(64);
    private static final long SMALL_THINGS = ByteSize.mib(16);

    private final Sizes sizes;

    /// @param bulkBytes      moved as a whole
    /// @param scatteredPages moved of each scattered segment, which is 16 times as large
    /// @param faultBytes     where single faults are measured, a power of two
    /// @param faults         in one round
    /// @param busyBytes      moved to the device while others touch and launch
    /// @param frames         of the device whose victims are looked for
    record Sizes(long bulkBytes, int scatteredPages, long faultBytes, int faults, long busyBytes, int frames, int warmUps, int runs) {
        static final Sizes FULL = new Sizes(ByteSize.mib(256), 256, ByteSize.mib(64), 200, ByteSize.gib(1), 20_000_000, 2, 9);
    }

    private final boolean anyDevice;

    DiscreteBench(Sizes sizes) {
        this(sizes, false);
    }

    /// @param anyDevice also one that works in the host's memory, where the figures mean nothing
    DiscreteBench(Sizes sizes, boolean anyDevice) {
        this.sizes = sizes;
        this.anyDevice = anyDevice;
    }

    @Override
    public String name() {
        return "discrete";
    }

    @Override
    public String question() {
        return "What does migration over a bus cost, beside what the bus can do?";
    }

    /// It needs another device than the others do.
    @Override
    public boolean isOneOfAll() {
        return false;
    }

    @Override
    public List<BenchRow> run(RunContext context) throws Exception {
        HostAccess.Mode mode = FaultBench.requireDirectAccess(context.device(), name());
        try (Arena arena = Arena.ofShared()) {
            Touch.warmUp(arena.allocate(ByteSize.mib(4)));
        }
        List<BenchRow> rows = new ArrayList<>();
        try (Hmm hmm = heap(context, PAGE_BYTES, 2 * sizes.bulkBytes); BareOpenCl bare = BareOpenCl.beside(hmm)) {
            rows.addAll(new DiscreteMoves(hmm, bare, sizes, context.progress(), rows(hmm)).rows());
        }
        for (long pageBytes : List.of(PAGE_BYTES, SCATTERED_SMALL_PAGE_BYTES)) {
            try (Hmm hmm = heap(context, pageBytes, 17L * sizes.scatteredPages * pageBytes)) {
                rows.addAll(new DiscreteScattered(hmm, sizes, context.progress(), rows(hmm)).rows());
            }
        }
        HmmBuilder relocating = settings(context, SCATTERED_SMALL_PAGE_BYTES, DiscreteRelocation.heapBytes(sizes));
        try (Hmm hmm = open(DiscreteRelocation.sized(relocating, sizes)); BareOpenCl bare = BareOpenCl.beside(hmm)) {
            rows.add(new DiscreteRelocation(hmm, bare, sizes, context.progress(), rows(hmm)).row());
        }
        try (Hmm hmm = heap(context, PAGE_BYTES, sizes.busyBytes + sizes.faultBytes);
            BareOpenCl bare = BareOpenCl.beside(hmm);
            Floor.Beside floor = Floor.beside(mode, sizes.faultBytes)) {
            rows.addAll(new DiscreteBusy(hmm, bare, floor, sizes, context.progress(), rows(hmm)).rows());
            rows.add(new EvictionScale(sizes, context.progress(), rows(hmm)).row());
        }
        return rows;
    }

    private Hmm heap(RunContext context, long pageBytes, long bytes) throws UsageException {
        return open(settings(context, pageBytes, bytes + SMALL_THINGS));
    }

    private static HmmBuilder settings(RunContext context, long pageBytes, long bytes) {
        return Subject.heap(context.device().withPageSize(pageBytes), bytes).faultAround(0);
    }

    /// @throws UsageException if the device has no memory of its own
    private Hmm open(HmmBuilder settings) throws UsageException {
        Hmm hmm = settings.open();
        DeviceInfo info = hmm.device().info();
        if (!anyDevice && (info.kind() == DeviceInfo.Kind.CPU || info.unifiedMemory())) {
            hmm.close();
            throw new UsageException("this benchmark is about memory behind a bus, which device=" + info.name()
                + " has not; without --device it takes an emulated one");
        }
        return hmm;
    }

    static boolean isEmulated() {
        return System.getenv(EMULATED_SETTING) != null;
    }

    /// Rows that also say which engine moved the pages, and what the device is if it is emulated.
    private static Subject.Rows rows(Hmm hmm) {
        Subject.Rows rows = Subject.rows(hmm);
        Map<String, String> facts = new TreeMap<>(rows.environment());
        facts.put("copyEngine", ((ClDevice) hmm.device().device()).copyChoice().name());
        if (isEmulated()) {
            facts.put("emulated", System.getenv(EMULATED_SETTING));
        }
        return new Subject.Rows(rows.device(), facts);
    }
}
