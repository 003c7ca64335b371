package io.github.hmm4j.demos.harness;

import io.github.hmm4j.Report;
import io.github.hmm4j.demos.report.Table;
import io.github.hmm4j.demos.report.Units;
import java.io.PrintWriter;
import java.util.Locale;

/// Prints what a demo found: both programs side by side, and what the heap moved and why.
public final class TwinPrinter {
    private TwinPrinter() {}

    /// @param headline what was done and what came of it; whole lines
    /// @param moved what the heap moved in one run of the managed program
    public static void print(PrintWriter out, String headline, DemoResult result, Report moved) {
        out.printf(Locale.ROOT, "%s: %s%n", result.name(), headline.strip());
        out.printf("on %s, binding %s, host access %s%n%n", result.device(), result.binding(), result.hostAccess());
        out.println(table(result));
        out.printf(Locale.ROOT, "time: from inputs on the host to the result on the host, median of %d runs after the first; %s%n",
            RunClock.RUNS - 1, "without set-up and check");
        out.printf("%nWhat the heap moved in one run, and why:%n%s%n", moved);
        result.error().ifPresent(error -> out.printf("WRONG: %s%n%n", error));
    }

    private static Table table(DemoResult result) {
        Table table = new Table("program", "time", "first run", "to device", "to host", "pages", "views", "faults", "lines");
        result.explicit().ifPresent(took -> addRow(table, "explicit", took));
        result.managed().ifPresent(took -> addRow(table, "managed", took));
        return table;
    }

    private static void addRow(Table table, String program, TwinResult took) {
        table.row(program, Units.nanos(took.nanos()), Units.nanos(took.firstNanos()),
            Units.bytes(took.bytesToDevice()), Units.bytes(took.bytesToHost()), Units.count(took.pages()),
            Units.count(took.views()), Units.count(took.faults()), took.linesOfCode());
    }
}
