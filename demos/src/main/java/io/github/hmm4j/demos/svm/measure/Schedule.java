package io.github.hmm4j.demos.svm.measure;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// How long and how often to measure.
///
/// @param sizes         of the data, ascending, multiples of 4 KiB
/// @param mostRounds    in which each strategy is measured once
/// @param precision     rounds go on until all medians are known as well as that, as a part of the median
/// @param warmUp        before the first round, for each strategy
/// @param sample        what one measurement takes at least; short operations are repeated
/// @param group         when to stop all the same with one workload at one size, but not before the rounds that an interval needs
/// @param keepOpenBytes data of up to this size stays allocated between rounds; more is allocated, warmed up and freed again for each measurement, so that
///                      it need not be there for all strategies at once
public record Schedule(List<Long> sizes, int mostRounds, double precision, Duration warmUp, Duration sample, Duration group, long keepOpenBytes) {
    public Schedule {
        sizes = List.copyOf(sizes);
    }

    /// By name, each in a sentence.
    public Map<String, String> inWords() {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("order", "strategies take turns, A B C A B C, so that what else the machine does meets all of them");
        words.put("warm-up", String.format(Locale.ROOT, "%d ms for each strategy, workload and size; memory has been touched before it is measured, except by the workload that asks for that",
            warmUp.toMillis()));
        words.put("measurement", String.format(Locale.ROOT, "the mean of as many runs as take %d ms, at least one, at most 1,000; times are per operation, as the program waits for it, the host's own work included",
            sample.toMillis()));
        words.put("repetitions", String.format(Locale.ROOT, "%d to %d measurements, until the %.0f %% confidence interval of every strategy's median reaches no further than %.0f %% from it, or %.1f s have passed",
            Statistics.FEWEST, mostRounds, 100 * Statistics.CONFIDENCE, 100 * precision, group.toMillis() / 1e3));
        words.put("interval", "by order statistics: it assumes nothing about the distribution");
        words.put("device time", "kernels only, by the device's own clock (profiling events)");
        words.put("bytes", "what copy commands and page faults moved, per operation; what a driver moves by itself is not known");
        words.put("results", "checked in every run, and byte by byte before the measurements and, where memory stays allocated, after them; a strategy that is wrong has no figures");
        words.put("memory", String.format(Locale.ROOT, "up to %d MiB stays allocated between measurements; more is allocated and touched anew for each",
            keepOpenBytes >> 20));
        return words;
    }

    /// In minutes to hours, depending on the sizes.
    public static Schedule full(List<Long> sizes) {
        return new Schedule(sizes, 51, 0.03, Duration.ofMillis(300), Duration.ofMillis(20), Duration.ofSeconds(12), 64L << 20);
    }

    /// In less than three minutes on two processors, at sizes of up to 16 MiB.
    public static Schedule quick(List<Long> sizes) {
        return new Schedule(sizes, 15, 0.05, Duration.ofMillis(30), Duration.ofMillis(4), Duration.ofMillis(2500), 64L << 20);
    }
}
