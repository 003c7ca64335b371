package io.github.hmm4j.demos.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private final StringWriter shown = new StringWriter();
    private long nowNanos;

    @Test
    void rewritesOneLineOnATerminal() {
        Progress progress = new Progress(new PrintWriter(shown), true, () -> nowNanos);
        progress.step("reading");
        progress.update(1, 10);
        nowNanos += 150_000_000;
        progress.update(2, 10);
        progress.clear();
        progress.clear();
        assertThat(shown).hasToString("\r\u001b[Kreading ...\r\u001b[Kreading ... 2 of 10\r\u001b[K");
    }

    @Test
    void printsPlainLinesElsewhere() {
        Progress progress = new Progress(new PrintWriter(shown), false, () -> nowNanos);
        progress.step("reading");
        nowNanos += 1_000_000_000;
        progress.update(1, 10);
        nowNanos += 5_000_000_000L;
        progress.update(9, 10);
        progress.clear();
        assertThat(shown).hasToString("reading ...\nreading ... 9 of 10\n");
    }
}
