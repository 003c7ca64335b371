package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// What one workload says.
///
/// @param spans    who may be the fastest at which sizes, in ascending order
/// @param advice   what to use, or that there is no clear winner, in one line
/// @param sentence the whole of it in words
/// @param duels    how the families stand to one another
/// @param noisy    whether the whole run is too noisy for ratios of medians
/// @param notes    what took no part, a sentence each
public record Verdict(Workload workload, List<Span> spans, String advice, String sentence, List<Duel> duels, boolean noisy, List<String> notes) {
    /// With more changes of the lead than this a list of them says nothing any more.
    private static final int MOST_SPANS = 4;
    private static final int MOST_NAMES = 4;

    /// Between which neighbouring sizes, in bytes, the lead goes from one to another.
    public record Crossover(long below, long above) {}

    public Verdict {
        spans = List.copyOf(spans);
        duels = List.copyOf(duels);
        notes = List.copyOf(notes);
    }

    public static Verdict of(Grid grid, Workload workload) {
        List<Long> sizes = grid.sizes(workload);
        boolean noisy = Noise.tooMuch(grid.cells()).isPresent();
        List<Ranking> rankings = sizes.stream().map(size -> Ranking.of(grid, workload, size, noisy)).toList();
        List<Span> spans = Span.of(rankings);
        List<Duel> duels = List.of(Duel.Sides.values()).stream()
            .map(sides -> Duel.of(workload, sides, rankings, noisy)).toList();
        return new Verdict(workload, spans, Advice.line(rankings, noisy), sentence(spans, sizes, grid, workload, noisy),
            duels, noisy, new Notes(grid, workload).sentences());
    }

    /// In ascending order.
    public List<Crossover> crossovers() {
        return crossovers(spans);
    }

    private static List<Crossover> crossovers(List<Span> spans) {
        List<Crossover> crossovers = new ArrayList<>();
        for (int i = 1; i < spans.size(); i++) {
            Span before = spans.get(i - 1);
            Span after = spans.get(i);
            if (before.isContest() && after.isContest()) {
                crossovers.add(new Crossover(before.last().sizeBytes(), after.first().sizeBytes()));
            }
        }
        return crossovers;
    }

    /// Who leads at a size; nobody if nothing can be compared there.
    public Optional<Ranking> ranking(long sizeBytes) {
        return spans.stream().flatMap(span -> span.rankings().stream()).filter(each -> each.sizeBytes() == sizeBytes).findFirst();
    }

    /// The advice for one size alone.
    public String advice(long sizeBytes) {
        return Advice.line(ranking(sizeBytes).stream().toList(), noisy);
    }

    private static String sentence(List<Span> spans, List<Long> sizes, Grid grid, Workload workload, boolean noisy) {
        if (spans.stream().allMatch(Span::isEmpty)) {
            boolean measured = sizes.stream().flatMap(size -> grid.row(workload, size).stream())
                .anyMatch(cell -> cell.figures().isPresent());
            return measured ? "Nothing can be said: there were too few measurements for a confidence interval."
                : "Nothing can be said: no strategy gave a result.";
        }
        if (spans.size() > MOST_SPANS) {
            return manyChanges(spans, sizes);
        }
        List<String> clauses = new ArrayList<>();
        for (Span span : spans) {
            String range = Words.range(span.first().sizeBytes(), span.last().sizeBytes(), sizes);
            clauses.add(range + (sizes.size() == 1 ? ", " : " ") + claim(span) + factors(span, noisy));
        }
        return Words.capital(String.join("; ", clauses)) + crossover(crossovers(spans)) + ".";
    }

    private static String claim(Span span) {
        if (span.isEmpty()) {
            return "nothing can be compared";
        }
        String who = who(span);
        boolean plural = Words.isPlural(span.common());
        if (!span.isContest()) {
            return "only " + who + " gave a result, and there is nothing to compare " + (plural ? "them" : "it") + " with";
        }
        String are = plural ? " are " : " is ";
        if (!span.undecided().isEmpty()) {
            return undecided(span);
        }
        if (!span.isSame() || !span.isClear()) {
            return who + are + "fastest or level with the fastest";
        }
        return who + are + (span.others().isEmpty() ? "level" : span.common().size() == 1 ? "fastest" : "level, and fastest");
    }

    /// Who is not told apart from the leaders is in the charts and tables; named here they would be a wall of text.
    private static String undecided(Span span) {
        Set<Strategy> leaders = span.leaders();
        if (leaders.isEmpty()) {
            return "no strategy is a clear winner, and " + who(span) + " may be the fastest";
        }
        boolean always = span.rankings().stream().noneMatch(ranking -> ranking.undecided().isEmpty());
        boolean plural = Words.isPlural(leaders);
        return (leaders.size() <= MOST_NAMES ? Words.names(leaders) : leaders.size() + " strategies") + (plural ? " lead, but are " : " leads, but is ")
            + (plural ? "no clear winners" : "no clear winner") + (always ? "" : " at some of these sizes");
    }

    /// Those who may be the fastest by name, or, where those are fewer, the others.
    private static String who(Span span) {
        if (span.common().size() <= MOST_NAMES) {
            return Words.names(span.common());
        }
        return span.others().isEmpty() ? "all strategies" : "all strategies but " + Words.names(span.others());
    }

    /// By how much the leader is ahead of the first that does not lead, at both ends of the span; in a noisy run at
    /// least.
    private static String factors(Span span, boolean noisy) {
        if (!span.isContest() || span.isEmpty()) {
            return "";
        }
        Optional<String> first = factor(span, span.first());
        Optional<String> last = span.rankings().size() == 1 ? Optional.empty() : factor(span, span.last());
        if (first.isEmpty() && last.isEmpty()) {
            return "";
        }
        boolean both = first.isPresent() && last.isPresent();
        String whose = (span.undecided().isEmpty() && !span.isClear() ? "the fastest is " : "") + Words.atLeast(noisy);
        boolean single = span.rankings().size() == 1;
        boolean sameRival = both && rival(span, span.first()).equals(rival(span, span.last()));
        if (sameRival) {
            Strategy rival = rival(span, span.first()).orElseThrow();
            return " (%s%s times as fast as %s at %s, %s times at %s)".formatted(whose, first.get(), Words.name(rival),
                Words.size(span.first().sizeBytes()), last.get(), Words.size(span.last().sizeBytes()));
        }
        String text = first.map(factor -> against(factor, span, span.first(), single)).orElse("")
            + (both ? ", " : "") + last.map(factor -> against(factor, span, span.last(), single)).orElse("");
        return " (" + whose + text + ")";
    }

    private static String against(String factor, Span span, Ranking ranking, boolean single) {
        String rival = rival(span, ranking).map(Words::name).orElseThrow();
        return factor + " times as fast as " + rival + (single ? "" : " at " + Words.size(ranking.sizeBytes()));
    }

    private static Optional<String> factor(Span span, Ranking ranking) {
        return rival(span, ranking).map(rival -> ranking.lead(leader(span, ranking), rival))
            .filter(Words::isMore).map(Words::factor);
    }

    private static Optional<Strategy> rival(Span span, Ranking ranking) {
        return ranking.next(leader(span, ranking));
    }

    private static Strategy leader(Span span, Ranking ranking) {
        return ranking.fastestOf(span.leaders().isEmpty() ? span.common() : span.leaders()).orElseThrow();
    }

    private static String crossover(List<Crossover> crossovers) {
        if (crossovers.isEmpty()) {
            return "";
        }
        List<String> between = crossovers.stream()
            .map(each -> "between " + Words.size(each.below()) + " and " + Words.size(each.above())).toList();
        return (crossovers.size() == 1 ? "; the crossover lies " : "; crossovers lie ") + Words.list(between).replace(" and between", ", and between");
    }

    private static String manyChanges(List<Span> spans, List<Long> sizes) {
        String parts = spans.stream().map(span -> Words.range(span.first().sizeBytes(), span.last().sizeBytes(), sizes) + " "
            + (span.isEmpty() ? "nothing" : who(span))).collect(Collectors.joining(", "));
        return "No strategy leads for long; the fastest, and those level with it or not told apart from it, are: " + parts + ".";
    }
}
