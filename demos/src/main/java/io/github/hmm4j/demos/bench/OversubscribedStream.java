package io.github.hmm4j.demos.bench;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.demos.report.Units;
import java.util.Map;
import java.util.TreeMap;

/// A kernel that streams through more than the device may hold, until its result is at home. Beside it what cannot be saved: the same kernel with all of it on the device, and one copy of every
/// byte that has to go there or come back.
final class OversubscribedStream {
    private final Hmm hmm;
    private final BareOpenCl bare;
    private final double factor;
    private final PagedBench.Sizes sizes;
    private final Progress progress;
    private final Scaling task;
    private final Scaling residentTask;
    private final long from;
    private final long to;
    private final Samples residentNanos = new Samples();
    private final Samples copyNanos = new Samples();
    private final Samples rounds = new Samples();
    private final Samples moved = new Samples();

    /// @param resident a heap with room for all on its device
    /// @param factor   by which the data is larger than the budget
    OversubscribedStream(Hmm hmm, Hmm resident, BareOpenCl bare, double factor, PagedBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.bare = bare;
        this.factor = factor;
        this.sizes = sizes;
        this.progress = progress;
        long arrayBytes = sizes.streamBytes() / 2;
        task = Scaling.paged(hmm, "scale_runs", arrayBytes);
        residentTask = Scaling.paged(resident, "scale_runs", arrayBytes);
        from = bare.buffer(arrayBytes);
        to = bare.buffer(arrayBytes);
    }

    BenchRow row() throws Exception {
        String name = "oversub.stream." + Units.decimal(factor).replaceAll("\\.?0+$", "") + "x";
        progress.step(name);
        residentTask.launch();
        Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress, this::millis, this::leastMillis);
        Map<String, Long> facts = new TreeMap<>(Map.of("dataBytes", sizes.streamBytes(), "budgetBytes", hmm.device().budgetBytes(), "pageSizeBytes", (long) hmm.heap().pageSize().bytes()));
        facts.put("residentNanos", Math.round(residentNanos.median()));
        facts.put("copyNanos", Math.round(copyNanos.median()));
        facts.put("rounds", Math.round(rounds.median()));
        facts.put("movedBytes", Math.round(moved.median()));
        Samples ratio = turns.ratio();
        return Subject.rows(hmm).ratio(name, turns.ours().median(), "ms", ratio, "all of it on the device, and one copy of input and output", facts, Target.atMost(ratio.median(), 1.3));
    }

    /// Everything is at home, in memory that was used before.
    private double millis() {
        task.bringHome();
        Report before = hmm.report();
        long start = System.nanoTime();
        task.launch();
        hmm.heap().prefetchHost(task.out());
        long nanos = System.nanoTime() - start;
        Report since = hmm.report().since(before);
        rounds.add((double) since.count(Counter.DEVICE_FAULT_ROUNDS));
        moved.add((double) since.bytes(Direction.TO_DEVICE) + since.bytes(Direction.TO_HOST));
        task.requireScaled();
        return nanos / 1e6;
    }

    private double leastMillis() {
        long resident = residentTask.residentNanos();
        long start = System.nanoTime();
        bare.copyInPieces(from, to, sizes.streamBytes() / 2);
        bare.copyInPieces(to, from, sizes.streamBytes() / 2);
        long copy = System.nanoTime() - start;
        residentNanos.add((double) resident);
        copyNanos.add((double) copy);
        return (resident + copy) / 1e6;
    }
}
