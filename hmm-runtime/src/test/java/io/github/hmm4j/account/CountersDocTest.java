package io.github.hmm4j.account;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// The enums are the source of `docs/counters.md`. After a change run this with `-Dhmm.docs.write=true` once.
class CountersDocTest {

    private static final Path PAGE = Path.of("docs/counters.md");

    @Test
    void pageOfCountersIsFresh() throws IOException {
        String page = page();
        if (Boolean.getBoolean("hmm.docs.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(Files.readString(PAGE)).isEqualTo(page);
    }

    private static String page() {
        StringBuilder text = new StringBuilder("""
                # Counters and causes
                Generated from the enums `Counter` and `Cause`; a test fails when it is stale. `Hmm.report()` has the values.

                | counter | what is counted |
                | --- | --- |
                """);
        for (Counter counter : Counter.values()) {
            text.append("| `").append(counter.label()).append("` | ").append(counter.meaning()).append(" |\n");
        }
        text.append("\n| cause of a move | why |\n| --- | --- |\n");
        for (Cause cause : Cause.values()) {
            text.append("| `").append(cause).append("` | ").append(cause.meaning()).append(" |\n");
        }
        return text.toString();
    }
}
