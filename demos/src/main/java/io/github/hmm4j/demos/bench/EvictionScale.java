package io.github.hmm4j.demos.bench;

import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.policy.Candidates;
import io.github.hmm4j.policy.LeastRecentlyUsed;
import java.util.Map;
import java.util.SplittableRandom;

/// How many pages a second an eviction finds that a large device has to give up: what it does before anything moves.
///
/// No device takes part; the time is that of showing all frames to the policy and of its choice.
final class EvictionScale {
    private static final int SHARE = 100; // of the frames, one in so many is asked for at a time, as an eviction for a large launch does

    private final DiscreteBench.Sizes sizes;
    private final Progress progress;
    private final Subject.Rows rows;

    EvictionScale(DiscreteBench.Sizes sizes, Progress progress, Subject.Rows rows) {
        this.sizes = sizes;
        this.progress = progress;
        this.rows = rows;
    }

    BenchRow row() {
        progress.step("evict.scale");
        int frames = sizes.frames();
        int wanted = Math.max(1, frames / SHARE);
        int[] ages = new SplittableRandom(7).ints(frames, 0, 1 << 16).toArray();
        LeastRecentlyUsed policy = new LeastRecentlyUsed();
        Samples rates = new Samples();
        int runs = Math.min(sizes.runs(), 3);
        for (int run = -1; run < runs; run++) {
            long start = System.nanoTime();
            Candidates candidates = new Candidates();
            for (int frame = 0; frame < frames; frame++) {
                candidates.add(frame, ages[frame], frame % 2 == 0 ? Candidates.Cost.CLEAN : Candidates.Cost.DIRTY);
            }
            int[] victims = policy.victims(candidates, wanted);
            long nanos = System.nanoTime() - start;
            if (victims.length < wanted) {
                throw new IllegalStateException("victims=" + victims.length + ", wanted=" + wanted);
            }
            if (run >= 0) {
                rates.add(victims.length * 1e9 / nanos);
            }
            progress.update(run + 1, runs + 1);
        }
        return rows.value("evict.scale", rates, "victims/s", "none", Map.of("frames", (long) frames, "victims", (long) wanted),
            Target.atLeast(rates.median(), 1e7));
    }
}
