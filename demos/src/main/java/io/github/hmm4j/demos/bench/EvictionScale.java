package io.github.hmm4j.demos.bench;

import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.FrameRun;
import io.github.hmm4j.mirror.UseOrder;
import io.github.hmm4j.policy.Candidates;
import io.github.hmm4j.policy.LeastRecentlyUsed;
import java.util.Map;
import java.util.SplittableRandom;

/// How many pages a second an eviction finds that a large device has to give up: what it does before anything moves.
///
/// No device takes part; the time is that of finding old frames, showing them to the policy, its choice, and taking their pages away.
final class EvictionScale {
    private static final int SHARE = 100; // of the frames, one in so many is asked for at a time, as an eviction for a large launch does
    private static final int FRAMES_OF_A_LAUNCH = 4096;
    private static final int WARM_UPS = 12; // rounds are short, and the compiler has a second look at each loop after some of them
    private static final int USED_AGAIN = 4; // one frame in so many has been used since it came

    private final DiscreteBench.Sizes sizes;
    private final Progress progress;
    private final Subject.Rows rows;
    private final SplittableRandom random = new SplittableRandom(7);

    EvictionScale(DiscreteBench.Sizes sizes, Progress progress, Subject.Rows rows) {
        this.sizes = sizes;
        this.progress = progress;
        this.rows = rows;
    }

    BenchRow row() {
        progress.step("evict.scale");
        int frames = sizes.frames();
        int wanted = Math.max(1, frames / SHARE);
        int[] lastUse = new int[frames];
        boolean[] hasPage = new boolean[frames];
        LeastRecentlyUsed policy = new LeastRecentlyUsed();
        Samples rates = new Samples();
        int runs = Math.min(sizes.runs(), 9);
        UseOrder order = new UseOrder(frame -> hasPage[frame] ? frame : -1, frame -> lastUse[frame]);
        int now = 0;
        for (int frame = 0; frame < frames; frame++) {
            now = frame / FRAMES_OF_A_LAUNCH;
            take(lastUse, hasPage, frame, now);
        }
        for (int i = 0; i < frames / USED_AGAIN; i++) {
            int frame = random.nextInt(frames);
            lastUse[frame] = random.nextInt(lastUse[frame], now + 1);
        }
        for (int run = -WARM_UPS; run < runs; run++) {
            long start = System.nanoTime();
            int[] victims = evict(order, policy, lastUse, hasPage, wanted, now);
            long nanos = System.nanoTime() - start;
            if (victims.length < wanted) {
                throw new IllegalStateException("victims=" + victims.length + ", wanted=" + wanted);
            }
            if (run >= 0) {
                rates.add(victims.length * 1e9 / nanos);
            }
            now++;
            for (int frame : victims) { // others take their places
                take(lastUse, hasPage, frame, now);
            }
            progress.update(run + WARM_UPS, runs + WARM_UPS);
        }
        return rows.value("evict.scale", rates, "victims/s", "none", Map.of("frames", (long) frames, "victims", (long) wanted),
            Target.atLeast(rates.median(), 1e7));
    }

    private static void take(int[] lastUse, boolean[] hasPage, int frame, int now) {
        lastUse[frame] = now;
        hasPage[frame] = true;
    }

    private static int[] evict(UseOrder order, LeastRecentlyUsed policy, int[] lastUse, boolean[] hasPage, int wanted, int now) {
        int[] frames = order.oldest(new FrameRun(0, lastUse.length), policy.shown(wanted), now, _ -> true);
        Candidates candidates = new Candidates(frames.length);
        for (int frame : frames) {
            candidates.add(frame, now - lastUse[frame], frame % 2 == 0 ? Candidates.Cost.CLEAN : Candidates.Cost.DIRTY);
        }
        int[] victims = policy.victims(candidates, wanted);
        for (int i = 0; i < victims.length; i++) {
            victims[i] = Math.toIntExact(candidates.page(victims[i]));
            hasPage[victims[i]] = false;
        }
        return victims;
    }
}
