package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.report.Units;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Strategy.Family;
import io.github.hmm4j.demos.svm.Workload;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// Names and numbers as they stand in a sentence.
public final class Words {
    private static final Pattern NOTHING_AFTER_THE_POINT = Pattern.compile("\\.0+(?= |$)");

    private Words() {}

    /// `explicit copies (pinned staging)`: without the comma, which would read as two things in a list.
    public static String name(Strategy strategy) {
        return withoutComma(strategy.title());
    }

    /// `Sparse reads (1 %)`.
    public static String name(Workload workload) {
        return withoutComma(workload.title());
    }

    /// `a, b and c`.
    public static String list(Collection<String> words) {
        List<String> all = List.copyOf(words);
        return all.size() < 2 ? String.join("", all)
            : String.join(", ", all.subList(0, all.size() - 1)) + " and " + all.getLast();
    }

    /// `a, b or c`.
    static String either(Collection<Strategy> strategies) {
        List<String> names = strategies.stream().map(Words::name).toList();
        return names.size() < 2 ? String.join("", names)
            : String.join(", ", names.subList(0, names.size() - 1)) + " or " + names.getLast();
    }

    static String names(Collection<Strategy> strategies) {
        return list(strategies.stream().map(Words::name).toList());
    }

    static boolean isPlural(Collection<Strategy> strategies) {
        return strategies.size() > 1 || strategies.stream().anyMatch(each -> each.family() == Family.COPIES);
    }

    /// `4 KiB`, `1.5 GiB`: what was chosen to be round is shown as such.
    public static String size(long bytes) {
        return NOTHING_AFTER_THE_POINT.matcher(Units.bytes(bytes)).replaceFirst("");
    }

    /// `12.3 us`.
    public static String time(long nanos) {
        return time((double) nanos);
    }

    /// As [#time(long)], for what was computed.
    public static String time(double nanos) {
        return nanos > 0 && nanos < 10 ? String.format(Locale.ROOT, "%.1f ns", nanos) : Units.nanos(Math.round(nanos));
    }

    /// `1.08`, `3.4`, `120`.
    public static String factor(double factor) {
        if (factor < 0.095) {
            return factor < 0.0005 ? "less than 0.001" : String.format(Locale.ROOT, "%.3f", factor);
        }
        if (factor < 1.995) {
            return String.format(Locale.ROOT, "%.2f", factor);
        }
        return factor < 9.95 ? String.format(Locale.ROOT, "%.1f", factor) : Units.count(Math.round(factor));
    }

    /// As many digits of a factor as [#factor(double)] shows, and no more than there is: for what is said to be at
    /// least so much.
    static double roundedDown(double factor) {
        double digits = factor < 2 ? 100 : factor < 10 ? 10 : 1;
        return Math.floor(factor * digits) / digits;
    }

    /// What stands before a factor: in a noisy run it is what the intervals leave over.
    public static String atLeast(boolean noisy) {
        return noisy ? "at least " : "";
    }

    /// Whether a factor reads as more than once.
    public static boolean isMore(double factor) {
        return factor >= 1.005;
    }

    /// `1.08 to 3.4`, or one of them where they read the same.
    static String factors(double least, double most) {
        String low = factor(least);
        String high = factor(most);
        return low.equals(high) ? low : low + " to " + high;
    }

    /// Some neighbouring sizes out of all: `up to 64 KiB`, `from 1 MiB on`, `from 64 KiB to 1 MiB`, `at 1 MiB`.
    static String range(long from, long to, List<Long> all) {
        boolean first = from == all.getFirst();
        boolean last = to == all.getLast();
        if (first && last) {
            return all.size() == 1 ? "at " + size(from) + ", the only size" : "at every size from " + size(from) + " to " + size(to);
        }
        if (from == to) {
            return "at " + size(from);
        }
        if (first) {
            return "up to " + size(to);
        }
        return "from " + size(from) + (last ? " on" : " to " + size(to));
    }

    /// Any sizes out of all, as ranges; nothing if these are all of them.
    static String ranges(List<Long> some, List<Long> all) {
        if (some.size() == all.size()) {
            return "";
        }
        List<String> ranges = new ArrayList<>();
        int begin = -1;
        for (int i = 0; i <= all.size(); i++) {
            boolean in = i < all.size() && some.contains(all.get(i));
            if (in && begin < 0) {
                begin = i;
            } else if (!in && begin >= 0) {
                ranges.add(range(all.get(begin), all.get(i - 1), all));
                begin = -1;
            }
        }
        return list(ranges);
    }

    /// With a capital at its beginning.
    public static String capital(String text) {
        return text.isEmpty() ? text : text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }

    static String count(int count, String one, String many) {
        return count == 1 ? "one " + one : count + " " + many;
    }

    private static String withoutComma(String title) {
        int comma = title.indexOf(", ");
        return comma < 0 ? title : title.substring(0, comma) + " (" + title.substring(comma + 2) + ")";
    }
}
