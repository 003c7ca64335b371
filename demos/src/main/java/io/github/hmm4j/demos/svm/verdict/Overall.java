package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Cell.Status;
import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.verdict.Duel.Outcome;
import io.github.hmm4j.demos.svm.verdict.Duel.Round;
import io.github.hmm4j.demos.svm.verdict.Duel.Side;
import io.github.hmm4j.demos.svm.verdict.Duel.Sides;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/// The answer to the question of the whole benchmark, on one device.
///
/// @param headline what came out fastest how often, and what the others cost against that
/// @param parts    one for each pair of families
/// @param caveats  what to keep in mind, a sentence each
public record Overall(String headline, List<Part> parts, List<String> caveats) {
    private static final String ALWAYS = "at every size";
    private static final String NEVER = "never faster";

    /// @param title   `Fine-grained SVM against explicit copies`
    /// @param clauses what is said under it, to be joined by semicolons or put one under the other
    public record Part(String title, List<String> clauses) {
        public Part {
            clauses = List.copyOf(clauses);
        }

        /// As one sentence without a capital.
        public String text() {
            return String.join("; ", clauses) + ".";
        }
    }

    public Overall {
        parts = List.copyOf(parts);
        caveats = List.copyOf(caveats);
    }

    public static Overall of(SvmResults results, List<Verdict> verdicts) {
        OptionalDouble noise = Noise.tooMuch(results.cells());
        List<Part> parts = new ArrayList<>();
        for (Sides sides : Sides.values()) {
            List<Duel> duels = verdicts.stream().flatMap(verdict -> verdict.duels().stream())
                .filter(duel -> duel.sides() == sides).toList();
            parts.add(new Part(sides.title(), clauses(sides, duels, results, noise.isPresent())));
        }
        Headline headline = new Headline(new Grid(results.cells()), verdicts);
        return new Overall(noise.isPresent() ? headline.withoutRanking(noise.getAsDouble()) : headline.sentences(), parts, caveats(results));
    }

    /// All of it as one paragraph.
    public String paragraph() {
        List<String> sentences = new ArrayList<>();
        sentences.add(headline);
        parts.forEach(part -> sentences.add(part.title() + ": " + part.text()));
        sentences.addAll(caveats);
        return String.join(" ", sentences);
    }

    private static List<String> clauses(Sides sides, List<Duel> duels, SvmResults results, boolean noisy) {
        List<Duel> fought = duels.stream().filter(duel -> !duel.rounds().isEmpty()).toList();
        if (fought.isEmpty()) {
            return List.of("cannot be compared here: " + whyNot(sides, results));
        }
        List<String> clauses = new ArrayList<>(noisy ? certain(fought) : all(fought));
        int unfought = duels.size() - fought.size();
        if (unfought > 0) {
            clauses.add(Words.count(unfought, "workload", "workloads") + " could not be compared");
        }
        return clauses;
    }

    /// What ended alike is said together, in the order: always, at some sizes from the small ones up, never.
    private static List<String> all(List<Duel> fought) {
        List<String> clauses = new ArrayList<>();
        alike(fought, Outcome.FASTER).forEach((where, same) -> clauses.add((where.equals(NEVER) ? where : "faster " + where) + " in "
            + workloads(same) + " (" + factors(same) + ")"));
        return clauses;
    }

    /// Only where intervals lie apart, and without the ratios of medians that may be an accident.
    private static List<String> certain(List<Duel> fought) {
        List<String> clauses = new ArrayList<>();
        alike(fought, Outcome.FASTER).forEach((where, same) -> {
            if (!where.equals(NEVER)) {
                clauses.add("faster " + where + " in " + workloads(same));
            }
        });
        alike(fought, Outcome.SLOWER).forEach((where, same) -> {
            if (!where.equals(NEVER)) {
                clauses.add("slower " + where + " in " + workloads(same));
            }
        });
        long uncertain = fought.stream().filter(duel -> duel.rounds(Outcome.FASTER).isEmpty() && duel.rounds(Outcome.SLOWER).isEmpty()).count();
        if (uncertain > 0) {
            clauses.add("nothing certain in " + Words.count((int) uncertain, "workload", "workloads"));
        }
        return clauses;
    }

    private static SequencedMap<String, List<Duel>> alike(List<Duel> fought, Outcome outcome) {
        SequencedMap<String, List<Duel>> alike = new LinkedHashMap<>();
        fought.stream().sorted(Comparator.comparingInt((Duel duel) -> rank(where(duel, outcome))).thenComparingLong(duel -> largest(duel, outcome)))
            .forEach(duel -> alike.computeIfAbsent(where(duel, outcome), _ -> new ArrayList<>()).add(duel));
        return alike;
    }

    private static String workloads(List<Duel> duels) {
        return Words.list(duels.stream().map(duel -> Words.name(duel.workload())).toList());
    }

    private static String where(Duel duel, Outcome outcome) {
        List<Round> rounds = duel.rounds(outcome);
        if (rounds.isEmpty()) {
            return NEVER;
        }
        return rounds.size() == duel.sizes().size() ? ALWAYS
            : Words.ranges(rounds.stream().map(Round::sizeBytes).toList(), duel.sizes());
    }

    private static int rank(String where) {
        return where.equals(ALWAYS) ? 0 : where.equals(NEVER) ? 2 : 1;
    }

    private static long largest(Duel duel, Outcome outcome) {
        return duel.rounds(outcome).stream().mapToLong(Round::sizeBytes).max().orElse(0);
    }

    private static String factors(List<Duel> duels) {
        List<Round> faster = duels.stream().flatMap(duel -> duel.rounds(Outcome.FASTER).stream()).toList();
        List<Round> slower = duels.stream().flatMap(duel -> duel.rounds(Outcome.SLOWER).stream()).toList();
        List<String> elsewhere = new ArrayList<>();
        if (duels.stream().anyMatch(duel -> !duel.rounds(Outcome.LEVEL).isEmpty())) {
            elsewhere.add("level");
        }
        if (duels.stream().anyMatch(duel -> !duel.rounds(Outcome.UNDECIDED).isEmpty())) {
            elsewhere.add("not told apart");
        }
        if (!slower.isEmpty()) {
            elsewhere.add(times(slower, "long"));
        }
        String others = String.join(" or ", elsewhere);
        return faster.isEmpty() ? others : times(faster, "fast") + (others.isEmpty() ? "" : ", elsewhere " + others);
    }

    /// `1.2 to 3.4 times as fast`.
    private static String times(List<Round> rounds, String as) {
        DoubleStream factors = rounds.stream().mapToDouble(round -> round.factor() > 1 ? round.factor() : 1 / round.factor());
        double[] sorted = factors.sorted().toArray();
        return Words.factors(sorted[0], sorted[sorted.length - 1]) + " times as " + as;
    }

    private static String whyNot(Sides sides, SvmResults results) {
        List<String> reasons = Stream.of(sides.one(), sides.other()).flatMap(side -> lack(side, results).stream()).toList();
        return reasons.isEmpty() ? "the two have no workload and size in common" : Words.list(reasons);
    }

    private static Optional<String> lack(Side side, SvmResults results) {
        List<Cell> cells = results.cells().stream().filter(cell -> side.members().contains(cell.strategy())).toList();
        if (cells.stream().anyMatch(cell -> Comparison.usable(cell).isPresent())) {
            return Optional.empty();
        }
        boolean unsupported = cells.stream().anyMatch(Notes::isUnsupported) && cells.stream().allMatch(cell -> cell.status() == Status.NOT_SUPPORTED);
        return Optional.of((unsupported ? "this device does not support " : "there is no usable result of ") + side.title());
    }

    private static List<String> caveats(SvmResults results) {
        List<String> caveats = new ArrayList<>();
        Noise.warning(results).ifPresent(caveats::add);
        if (results.device().kind().equals("CPU")) {
            caveats.add("This is a CPU device: it works in the host's own memory, no bus lies between the two, and nothing here says what a GPU would do.");
        } else if (results.device().unifiedMemory()) {
            caveats.add("This device shares the host's memory: no bus lies between the two.");
        }
        long failed = results.cells().stream().filter(cell -> cell.status() == Status.FAILED).count();
        if (failed > 0) {
            caveats.add(String.format(Locale.ROOT, "%d of %d combinations failed or gave a wrong result; they are named under their workload and won nothing.",
                failed, results.cells().size()));
        }
        return caveats;
    }
}
