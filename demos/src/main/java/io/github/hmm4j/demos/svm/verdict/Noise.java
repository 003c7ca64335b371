package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.SvmResults;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Whether the machine was too busy, or the run too noisy, for what is near to each other to be told apart.
public final class Noise {
    /// An interval that reaches further than this part of the median from it says little.
    private static final double FAR = 0.10;
    /// From this part of all medians on it is the run that is noisy, not a strategy.
    private static final double MANY = 0.25;
    /// Of the processors: what the machine may have to do beside the benchmark.
    private static final double BUSY = 0.5;
    /// With a median noise above this the order of the medians is an accident of the run.
    static final double TOO_MUCH = 0.25;
    private static final Pattern NUMBER = Pattern.compile("\\d+(\\.\\d+)?");

    private Noise() {}

    /// One sentence; empty if there is nothing to warn of.
    public static Optional<String> warning(SvmResults results) {
        List<Estimate> walls = usable(results.cells());
        long far = walls.stream().filter(Noise::reachesFar).count();
        OptionalDouble load = number(results, "load");
        OptionalDouble processors = number(results, "processors");
        boolean known = load.isPresent() && processors.isPresent();
        boolean busy = known && load.getAsDouble() > BUSY * processors.getAsDouble();
        if (walls.isEmpty() || (!busy && far < MANY * walls.size())) {
            return Optional.empty();
        }
        OptionalDouble noise = median(walls);
        return Optional.of("Busy or noisy machine: "
            + (known ? "load %s on %s at the start; ".formatted(Words.factor(load.getAsDouble()),
                Words.count((int) processors.getAsDouble(), "processor", "processors")) : "")
            + String.format(Locale.ROOT, "%d of %d medians are known to no better than %.0f %%",
                far, walls.size(), FAR * 100)
            + (noise.isEmpty() ? "" : String.format(Locale.ROOT, ", and the median noise is %.0f %%", noise.getAsDouble() * 100))
            + "; what could not be told apart here may differ elsewhere.");
    }

    /// The median of the noise of all that can be compared, where that is too much for a ranking over the whole run; else empty.
    static OptionalDouble tooMuch(Collection<Cell> cells) {
        OptionalDouble noise = median(usable(cells));
        return noise.isPresent() && noise.getAsDouble() > TOO_MUCH ? noise : OptionalDouble.empty();
    }

    private static List<Estimate> usable(Collection<Cell> cells) {
        return cells.stream().flatMap(cell -> Comparison.usable(cell).stream()).toList();
    }

    private static OptionalDouble median(List<Estimate> walls) {
        double[] noise = walls.stream().mapToDouble(Estimate::noise).filter(Double::isFinite).sorted().toArray();
        return noise.length == 0 ? OptionalDouble.empty() : OptionalDouble.of(noise[noise.length / 2]);
    }

    private static boolean reachesFar(Estimate wall) {
        return Math.max(wall.high() - wall.median(), wall.median() - wall.low()) > FAR * wall.median();
    }

    /// What a fact about the machine begins with; empty if that is no number, as where the system does not say.
    private static OptionalDouble number(SvmResults results, String fact) {
        Matcher number = NUMBER.matcher(results.machine().getOrDefault(fact, ""));
        return number.lookingAt() ? OptionalDouble.of(Double.parseDouble(number.group())) : OptionalDouble.empty();
    }
}
