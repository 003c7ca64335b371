package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.device.Opening;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.Strategies;
import io.github.hmm4j.demos.svm.work.Work;
import io.github.hmm4j.demos.svm.work.Works;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.mirror.PlacementMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a managed heap costs whose pages kernels use where the host has them, beside the shared virtual memory that the
/// device offers itself: workloads of `bench svm`, in the same run.
final class InPlaceBench implements Bench {
    private static final long SMALL_THINGS = ByteSize.mib(16);

    private final Sizes sizes;

    /// @param dataBytes   of each workload
    /// @param fewBytes    with which the code of all is made warm
    /// @param codeWarmUps runs with those: launches by the thousand, after which nothing that a run comes to is interpreted any more
    record Sizes(long dataBytes, long fewBytes, int codeWarmUps, int warmUps, int runs) {
        static final Sizes FULL = new Sizes(ByteSize.mib(64), ByteSize.mib(1), 1000, 3, 21);
    }

    InPlaceBench(Sizes sizes) {
        this.sizes = sizes;
    }

    @Override
    public String name() {
        return "in_place";
    }

    @Override
    public String question() {
        return "What does a managed heap cost whose pages kernels use in place, beside shared virtual memory?";
    }

    @Override
    public List<BenchRow> run(RunContext context) throws Exception {
        List<BenchRow> rows = new ArrayList<>();
        rows.add(row(context, "in_place.stream", Workload.STREAM, Optional.empty()));
        rows.add(row(context, "in_place.sparse", Workload.SPARSE_UPDATE, Optional.empty()));
        rows.add(row(context, "in_place.beyond_budget", Workload.BEYOND_BUDGET, Optional.of(sizes.dataBytes / 2)));
        context.progress().clear();
        return rows;
    }

    private BenchRow row(RunContext context, String name, Workload workload, Optional<Long> budgetBytes)
        throws Exception {
        context.progress().step(name);
        try (BareOpenCl device = Opening.profiled(context.device());
            Strategies strategies = Strategies.open(device, kind -> heap(context, kind, budgetBytes),
                new Strategies.Wanted(false, true))) {
            OpenStrategy ours = strategies.find(Strategy.HMM_IN_PLACE).orElseThrow(() -> new UsageException(
                "this benchmark needs a device that works in place: "
                    + strategies.failure(Strategy.HMM_IN_PLACE).orElse(strategies.whyNot(Strategy.HMM_IN_PLACE))));
            List<OpenStrategy> all = new ArrayList<>(List.of(ours));
            for (Strategy strategy : Strategy.values()) {
                if (strategy.family() == Strategy.Family.SVM) {
                    strategies.find(strategy).ifPresent(all::add);
                }
            }
            if (all.size() == 1) {
                throw new UsageException("this benchmark is beside shared virtual memory, which device="
                    + device.info().name() + " has not");
            }
            return row(context, name, Works.of(workload), all, device.info());
        }
    }

    private Hmm heap(RunContext context, Strategies.Kind kind, Optional<Long> budgetBytes) {
        var builder = Opening.settings(context.device(), sizes.dataBytes + SMALL_THINGS)
            .placement(kind == Strategies.Kind.IN_PLACE ? PlacementMode.IN_PLACE : PlacementMode.PRIVATE);
        budgetBytes.ifPresent(builder::budget);
        return builder.open();
    }

    /// @param strategies ours first
    private BenchRow row(RunContext context, String name, Work work, List<OpenStrategy> strategies, DeviceInfo device)
        throws Exception {
        List<Samples> nanos = new ArrayList<>();
        List<Work.Task> tasks = new ArrayList<>();
        for (OpenStrategy strategy : strategies) {
            makeCodeWarm(work, strategy);
        }
        try {
            for (OpenStrategy strategy : strategies) {
                tasks.add(work.open(strategy, sizes.dataBytes));
                nanos.add(new Samples());
            }
            for (int run = -sizes.warmUps; run < sizes.runs; run++) {
                for (int i = 0; i < tasks.size(); i++) { // in turns, each first once
                    int turn = Math.floorMod(run + i, tasks.size());
                    double taken = nanos(tasks.get(turn), run + sizes.warmUps + 1);
                    if (run >= 0) {
                        nanos.get(turn).add(taken);
                    }
                }
                context.progress().update(run + sizes.warmUps, sizes.runs + sizes.warmUps);
            }
            tasks.forEach(Work.Task::verify);
        } finally {
            tasks.forEach(Work.Task::close);
        }
        int fastest = 1;
        for (int i = 2; i < nanos.size(); i++) {
            fastest = nanos.get(i).median() < nanos.get(fastest).median() ? i : fastest;
        }
        Samples ours = nanos.getFirst();
        Samples theirs = nanos.get(fastest);
        Samples ratio = ours.over(theirs);
        return Subject.rows(device).ratio(name, ours.median() / 1e6, "ms", ratio,
            "the fastest shared virtual memory, " + strategies.get(fastest).strategy(),
            Map.of("dataBytes", sizes.dataBytes, "svmNanos", Math.round(theirs.median())), Target.atMost(ratio.median(), 1.05));
    }

    private void makeCodeWarm(Work work, OpenStrategy strategy) {
        try (Work.Task task = work.open(strategy, sizes.fewBytes)) {
            for (int run = 1; run <= sizes.codeWarmUps; run++) {
                nanos(task, run);
            }
        }
    }

    private static double nanos(Work.Task task, long run) {
        task.prepare(run);
        long start = System.nanoTime();
        task.run(run, _ -> { });
        long nanos = System.nanoTime() - start;
        task.after(run);
        return (double) nanos / task.operations();
    }
}
