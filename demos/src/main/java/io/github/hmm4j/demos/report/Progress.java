package io.github.hmm4j.demos.report;

import java.io.Console;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;

/// Tells people what a long step is doing: one line that changes on a terminal, else a plain line now and then.
///
/// Threads: any; a call prints whole lines only.
public final class Progress {
    private static final long TERMINAL_PERIOD_NANOS = 100_000_000;
    private static final long PLAIN_PERIOD_NANOS = 5_000_000_000L;
    private static final String ERASE_LINE = "\r\u001b[K";

    private final PrintWriter out;
    private final boolean terminal;
    private final LongSupplier clockNanos;
    private String step = "";
    private long lastPrintedNanos;
    private boolean lineOpen;

    /// @param terminal whether `out` understands carriage return and erase-line
    /// @param clockNanos like [System#nanoTime()]
    public Progress(PrintWriter out, boolean terminal, LongSupplier clockNanos) {
        this.out = out;
        this.terminal = terminal;
        this.clockNanos = clockNanos;
    }

    /// Prints to `out`, which is taken for a terminal if this process has one and `TERM` is not `dumb`.
    public static Progress of(PrintWriter out) {
        boolean console = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
        return new Progress(out, console && !"dumb".equals(System.getenv("TERM")), System::nanoTime);
    }

    /// Begins a step: shown at once.
    public synchronized void step(String name) {
        step = name;
        print(name + " ...");
    }

    /// Says how far the step is; shown only if something was shown some time ago.
    public synchronized void update(long done, long total) {
        long period = terminal ? TERMINAL_PERIOD_NANOS : PLAIN_PERIOD_NANOS;
        if (clockNanos.getAsLong() - lastPrintedNanos >= period) {
            print(String.format(Locale.ROOT, "%s ... %d of %d", step, done, total));
        }
    }

    /// Ends the step; on a terminal its line goes away, so results stand alone.
    public synchronized void clear() {
        if (lineOpen) {
            out.print(ERASE_LINE);
            out.flush();
            lineOpen = false;
        }
    }

    private void print(String text) {
        lastPrintedNanos = clockNanos.getAsLong();
        if (terminal) {
            out.print(ERASE_LINE + text);
            lineOpen = true;
        } else {
            out.print(text + "\n");
        }
        out.flush();
    }
}
