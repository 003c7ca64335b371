package io.github.hmm4j.demos.svm.measure;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.device.Opening;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.demos.report.Units;
import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.Strategies;
import io.github.hmm4j.demos.svm.work.Work;
import io.github.hmm4j.demos.svm.work.Works;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.space.PageSize;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// All workloads at all sizes with all strategies, on one device.
public final class SvmRun {
    private static final long SPARE_BYTES = 16L << 20; // of a heap, beside the data: sums and flags

    private final DeviceChoice choice;
    private final Schedule schedule;
    private final boolean anyPointer;
    private final Progress progress;

    /// @param anyPointer whether the device may be given pointers it does not say it takes
    public SvmRun(DeviceChoice choice, Schedule schedule, boolean anyPointer, Progress progress) {
        this.choice = choice;
        this.schedule = schedule;
        this.anyPointer = anyPointer;
        this.progress = progress;
    }

    /// One cell for each combination, by workload, then size, then strategy.
    ///
    /// @throws UsageException if the device that was asked for is not there
    public List<Cell> cells() throws UsageException {
        List<Cell> cells = new ArrayList<>();
        try (BareOpenCl device = Opening.profiled(choice)) {
            long heapBytes = schedule.sizes().getLast() + SPARE_BYTES;
            try (Strategies strategies = Strategies.open(device, kind -> heap(kind, heapBytes, Optional.empty()), new Strategies.Wanted(anyPointer, false))) {
                for (Workload workload : Workload.values()) {
                    for (long size : Works.of(workload).sizes(schedule.sizes(), choice.pageSizeBytes().orElse(PageSize.DEFAULT.bytes()))) {
                        progress.step(workload.title() + ", " + Units.bytes(size));
                        cells.addAll(workload == Workload.BEYOND_BUDGET ? beyondBudget(device, size) : group(Works.of(workload), size, strategies));
                    }
                }
            }
        }
        progress.clear();
        return cells;
    }

    private List<Cell> beyondBudget(BareOpenCl device, long sizeBytes) throws UsageException {
        try (Strategies strategies = Strategies.open(device, kind -> heap(kind, sizeBytes + SPARE_BYTES, Optional.of(sizeBytes / 2)),
                new Strategies.Wanted(anyPointer, true))) {
            return group(Works.of(Workload.BEYOND_BUDGET), sizeBytes, strategies);
        }
    }

    private List<Cell> group(Work work, long sizeBytes, Strategies strategies) {
        List<OpenStrategy> open = new ArrayList<>();
        Map<Strategy, Cell> cells = new EnumMap<>(Strategy.class);
        for (Strategy strategy : Strategy.values()) {
            strategies.find(strategy).ifPresentOrElse(open::add,
                () -> cells.put(strategy, strategies.failure(strategy).map(why -> Cell.failed(work.workload(), strategy, sizeBytes, why))
                    .orElseGet(() -> Cell.notSupported(work.workload(), strategy, sizeBytes, strategies.whyNot(strategy)))));
        }
        for (Cell cell : new Group(work, sizeBytes, schedule).measure(open)) {
            cells.put(cell.strategy(), cell);
        }
        return List.copyOf(cells.values());
    }

    /// One for kernels that go through the page table has twice the addresses, and as its budget what all data needs: three quarters of that are for what such kernels use.
    private Hmm heap(Strategies.Kind kind, long heapBytes, Optional<Long> budgetBytes) {
        HmmBuilder builder = Opening.settings(choice, kind == Strategies.Kind.PAGED ? 2 * heapBytes : heapBytes).profiling(true);
        budgetBytes.ifPresent(builder::budget);
        builder.placement(PlacementMode.PRIVATE);
        switch (kind) {
            case CHECKED -> builder.hostAccess(HostAccess.Mode.CHECKED);
            case BEST -> { }
            case PAGED -> builder.budget(budgetBytes.orElse(heapBytes * 3 / 2));
            case TRAP -> builder.deviceFaults();
            case IN_PLACE -> builder.placement(PlacementMode.IN_PLACE);
        }
        return builder.open();
    }
}
