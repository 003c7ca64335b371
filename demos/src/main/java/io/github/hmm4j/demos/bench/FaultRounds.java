package io.github.hmm4j.demos.bench;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.Launch;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// A launch that finds nothing on the device and asks for all of it in its first round; beside it the same launch again, and a plain copy of what was brought.
final class FaultRounds {
    private final Hmm hmm;
    private final BareOpenCl bare;
    private final PagedBench.Sizes sizes;
    private final Progress progress;
    private final Scaling task;
    private final long from;
    private final long to;
    private final Samples faulting = new Samples();
    private final Samples resident = new Samples();
    private final Samples copy = new Samples();
    private long bytesCopied;
    private long pagesMoved;

    FaultRounds(Hmm hmm, BareOpenCl bare, PagedBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.bare = bare;
        this.sizes = sizes;
        this.progress = progress;
        task = Scaling.paged(hmm, "scale_runs", sizes.arrayBytes());
        from = bare.buffer(sizes.arrayBytes());
        to = bare.buffer(sizes.arrayBytes());
    }

    List<BenchRow> rows() {
        progress.step("fault.batch, replay.overhead");
        task.launch(); // gives the output contents
        task.bringHome();
        faultMillis(); // says how much a copy is
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            task.bringHome();
            boolean copyFirst = run % 2 == 0;
            double early = copyFirst ? copyMillis() : 0;
            double fault = faultMillis();
            double again = task.residentNanos() / 1e6;
            double late = copyFirst ? early : copyMillis();
            task.requireScaled();
            if (run >= 0) {
                faulting.add(fault);
                resident.add(again);
                copy.add(late);
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        return List.of(batch(), replay());
    }

    private double faultMillis() {
        long before = hmm.report().count(Counter.DEVICE_FAULT_ROUNDS);
        long start = System.nanoTime();
        Launch launch = task.launch();
        double millis = (System.nanoTime() - start) / 1e6;
        long rounds = hmm.report().count(Counter.DEVICE_FAULT_ROUNDS) - before;
        if (rounds != 1) {
            throw new IllegalStateException(String.format(Locale.ROOT, "faultRounds=%d, expected=1: %s",
                rounds, launch.moves()));
        }
        bytesCopied = launch.moves().bytesCopied();
        pagesMoved = launch.moves().pagesMoved();
        return millis;
    }

    /// As many bytes as a launch brings, through two buffers of the size of one array.
    private double copyMillis() {
        long start = System.nanoTime();
        for (long left = bytesCopied; left > 0; left -= sizes.arrayBytes()) {
            bare.copyInPieces(from, to, Math.min(left, sizes.arrayBytes()));
        }
        return (System.nanoTime() - start) / 1e6;
    }

    /// What of a round, all but the kernel's last run, is not copying.
    private BenchRow batch() {
        Samples share = new Samples();
        Samples round = new Samples();
        for (int i = 0; i < faulting.size(); i++) {
            double millis = faulting.get(i) - resident.get(i);
            round.add(millis);
            share.add(1 - copy.get(i) / millis);
        }
        return Subject.rows(hmm).row("fault.batch", round.median(), "ms", Optional.of(share.median()), "of a round, as a share: what is not copying", facts(),
            Optional.of(Target.atMost(share.median(), 0.25)), share);
    }

    private BenchRow replay() {
        Samples ratio = new Samples();
        for (int i = 0; i < faulting.size(); i++) {
            ratio.add(faulting.get(i) / (resident.get(i) + copy.get(i)));
        }
        return Subject.rows(hmm).ratio("replay.overhead", faulting.median(), "ms", ratio, "the same with all of it on the device, and one copy of it", facts(), Target.atMost(ratio.median(), 1.2));
    }

    private Map<String, Long> facts() {
        return Map.of("copiedBytes", bytesCopied, "pages", pagesMoved, "residentNanos", Math.round(resident.median() * 1e6), "copyNanos", Math.round(copy.median() * 1e6),
            "pageSizeBytes", (long) hmm.heap().pageSize().bytes());
    }
}
