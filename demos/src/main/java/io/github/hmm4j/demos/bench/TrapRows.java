package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.demos.bench.Floor.Fault;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;

/// Kernels as anybody writes them that fault ([io.github.hmm4j.HmmBuilder#deviceFaults()]): with all of their data on the device, one fault at a time, and over four times what the device may hold.
final class TrapRows {
    private static final Source TOUCH = Source.text("touch.cl", """
        kernel void touch(global const uint *words, global const uint *order, const uint count, const uint stride, global uint *out) {
            uint sum = 0;
            for (uint i = 0; i < count; i++) { // each load waits for the one before it
                sum = sum * 31 + words[(size_t)order[i] * stride + (sum & 1)];
            }
            out[0] = sum;
        }
        """);
    static final int FAULTS = 200; // a round

    private final PagedBench.Sizes sizes;
    private final Progress progress;

    TrapRows(PagedBench.Sizes sizes, Progress progress) {
        this.sizes = sizes;
        this.progress = progress;
    }

    /// @param faulting with room for two arrays on its device
    /// @param windows  the same, where kernels do not fault
    BenchRow resident(Hmm faulting, Hmm windows) throws Exception {
        progress.step("trap.resident");
        Scaling ours = Scaling.plain(faulting, sizes.arrayBytes());
        Scaling plain = Scaling.plain(windows, sizes.arrayBytes());
        ours.launch();
        plain.launch();
        Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress, () -> ours.residentNanos() / 1e6, () -> plain.residentNanos() / 1e6);
        Report report = faulting.report();
        if (report.count(Counter.DEVICE_EVICTED) != 0) {
            throw new IllegalStateException("not all of it was on the device: " + report);
        }
        ours.requireScaled();
        plain.requireScaled();
        Samples ratio = turns.ratio();
        return Subject.rows(faulting).ratio("trap.resident", turns.ours().median(), "ms", ratio, "the same kernel in a heap whose kernels do not fault", Map.of("lengthBytes", sizes.arrayBytes(),
            "plainNanos", Math.round(turns.theirs().median() * 1e6), "pageSizeBytes", pageBytes(faulting)), Target.atMost(ratio.median(), 1.02));
    }

    /// One thread of the device touches pages here and there that are on the host, without a mapping. Each round counts with its mean, ours and the floor's.
    ///
    /// @param hmm whose faults bring nothing along
    BenchRow fault(Hmm hmm, Floor.Beside beside) throws Exception {
        String name = FaultBench.named("trap.fault", pageBytes(hmm));
        progress.step(name);
        Faults faults = new Faults(hmm);
        Samples ours = new Samples();
        Samples floors = new Samples();
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            boolean floorFirst = run % 2 == 0;
            double early = floorFirst ? floorNanos(hmm, beside) : 0;
            double nanos = faults.nanos();
            double late = floorFirst ? early : floorNanos(hmm, beside);
            if (run >= 0) {
                ours.add(nanos);
                floors.add(late);
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        Map<String, Long> facts = new TreeMap<>(Map.of("pageSizeBytes", pageBytes(hmm), "faultsPerRound", (long) FAULTS));
        if (beside.floor().isEmpty()) {
            return Subject.rows(hmm).row(name, ours.median() / 1e3, "us", Optional.empty(), beside.words(), facts, Optional.of(Target.atMost(Double.POSITIVE_INFINITY, 1.25)), ours);
        }
        facts.put("floorNanos", Math.round(floors.median()));
        Samples ratio = ours.over(floors);
        return Subject.rows(hmm).ratio(name, ours.median() / 1e3, "us", ratio, beside.words(), facts, Target.atMost(ratio.median(), 1.25));
    }

    private static double floorNanos(Hmm hmm, Floor.Beside beside) throws Exception {
        if (beside.floor().isEmpty()) {
            return 0;
        }
        double sum = 0;
        for (long nanos : beside.floor().get().nanos(Fault.DEVICE, pageBytes(hmm), FAULTS)) {
            sum += (double) nanos;
        }
        return sum / FAULTS;
    }

    /// A kernel that streams through four times the budget, until its result is at home, beside what cannot be saved: the same kernel with all of it there, and one copy of all that has to go there or
    /// come back. That is the output in both directions: a kernel that stores to a page needs what else is on it.
    BenchRow stream(Hmm hmm, Hmm resident, BareOpenCl bare) throws Exception {
        String name = "trap.stream.4x";
        progress.step(name);
        long arrayBytes = sizes.streamBytes() / 2;
        Scaling task = Scaling.plain(hmm, arrayBytes);
        Scaling residentTask = Scaling.plain(resident, arrayBytes);
        long from = bare.buffer(arrayBytes);
        long to = bare.buffer(arrayBytes);
        Samples residents = new Samples();
        Samples copies = new Samples();
        residentTask.launch();
        Report before = hmm.report();
        Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress, () -> streamMillis(hmm, task), () -> {
            long residentNanos = residentTask.residentNanos();
            long start = System.nanoTime();
            bare.copyInPieces(from, to, arrayBytes);
            bare.copyInPieces(from, to, arrayBytes);
            bare.copyInPieces(to, from, arrayBytes);
            long copyNanos = System.nanoTime() - start;
            residents.add((double) residentNanos);
            copies.add((double) copyNanos);
            return (residentNanos + copyNanos) / 1e6;
        });
        Report since = hmm.report().since(before);
        long launches = (long) sizes.warmUps() + sizes.runs();
        Map<String, Long> facts = new TreeMap<>(Map.of("dataBytes", sizes.streamBytes(), "budgetBytes", hmm.device().budgetBytes(), "pageSizeBytes", pageBytes(hmm)));
        facts.put("residentNanos", Math.round(residents.median()));
        facts.put("copyNanos", Math.round(copies.median()));
        facts.put("broughtPages", (since.count(Counter.DEVICE_BROUGHT_READ) + since.count(Counter.DEVICE_BROUGHT_WRITE)) / launches);
        facts.put("aheadPages", since.count(Counter.DEVICE_AHEAD) / launches);
        facts.put("writtenBackPages", since.count(Counter.DEVICE_WRITTEN_BACK) / launches);
        Samples ratio = turns.ratio();
        return Subject.rows(hmm).ratio(name, turns.ours().median(), "ms", ratio, "all of it on the device, and one copy of the input there and of the output there and back", facts, Target.atMost(ratio.median(), 1.3));
    }

    /// Everything is at home, in memory that was used before.
    private static double streamMillis(Hmm hmm, Scaling task) {
        hmm.evictAll(hmm.device());
        long start = System.nanoTime();
        task.launch();
        hmm.heap().prefetchHost(task.out());
        double millis = (System.nanoTime() - start) / 1e6;
        task.requireScaled();
        return millis;
    }

    private static long pageBytes(Hmm hmm) {
        return hmm.heap().pageSize().bytes();
    }

    /// Rounds of faults of one work-item, and what the same round takes when all is there.
    private static final class Faults {
        private final Hmm hmm;
        private final MemorySegment words;
        private final MemorySegment order;
        private final MemorySegment out;
        private final Kernel touch;
        private final int stride;
        private final SplittableRandom random = new SplittableRandom(7);

        Faults(Hmm hmm) {
            this.hmm = hmm;
            stride = Math.toIntExact(pageBytes(hmm) / Integer.BYTES);
            words = hmm.heap().allocate((long) FAULTS * pageBytes(hmm));
            order = hmm.heap().allocate(JAVA_INT, FAULTS);
            out = hmm.heap().allocate(JAVA_INT, 1);
            touch = hmm.program(TOUCH).kernel("touch");
            for (int page = 0; page < FAULTS; page++) {
                words.setAtIndex(JAVA_INT, (long) page * stride, page);
                words.setAtIndex(JAVA_INT, (long) page * stride + 1, ~page);
            }
        }

        /// Of one fault, as a mean.
        double nanos() {
            hmm.heap().prefetchHost(words);
            hmm.evictAll(hmm.device());
            int[] pages = Touch.shuffled(FAULTS, random);
            MemorySegment.copy(pages, 0, order, JAVA_INT, 0, FAULTS);
            touch.args(order, order, 1, 0, out).launch(NDRange.of(1)).await(); // brings what says where to go
            long before = brought();
            long faulting = launch(FAULTS);
            long faults = brought() - before;
            long again = launch(FAULTS);
            if (faults != FAULTS) {
                throw new IllegalStateException(String.format(Locale.ROOT, "faults=%d, expected=%d", faults, FAULTS));
            }
            requireSum(pages);
            return (faulting - again) / (double) FAULTS;
        }

        private long launch(int count) {
            Kernel.Call call = touch.args(words, order, count, stride, out);
            long start = System.nanoTime();
            call.launch(NDRange.of(1)).await();
            return System.nanoTime() - start;
        }

        private long brought() {
            Report report = hmm.report();
            return report.count(Counter.DEVICE_BROUGHT_READ) + report.count(Counter.DEVICE_BROUGHT_WRITE);
        }

        private void requireSum(int[] pages) {
            int sum = 0;
            for (int page : pages) {
                sum = sum * 31 + ((sum & 1) == 0 ? page : ~page);
            }
            if (out.get(JAVA_INT, 0) != sum) {
                throw new IllegalStateException(String.format(Locale.ROOT, "wrong words: sum=%x, expected=%x", out.get(JAVA_INT, 0), sum));
            }
        }
    }
}
