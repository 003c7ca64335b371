package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.space.ByteText;
import io.github.hmm4j.transparent.ChildJvm;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What is told to nobody but the log.
@Timeout(120)
class LogTest {

    private static ChildJvm.Result run() {
        ChildJvm.Result result = ChildJvm.run(Duration.ofSeconds(100), List.of("-Dorg.slf4j.simpleLogger.defaultLogLevel=info"), Opening.class);
        assertThat(result.status()).as(result.output()).isZero();
        return result;
    }

    @Test
    void sizesHaveTheUnitThatFitsAndQuotasThatMeanNothingAreSaidOnce() {
        String output = run().output();
        assertThat(output).contains("budget 4 KiB and ").contains("budget 4 MiB and ").contains(" for staging").doesNotContain("budget 0 ");
        assertThat(output.lines().filter(line -> line.contains("quotas mean nothing on"))).singleElement().asString().contains("its budget holds all of the heap");
        assertThat(output).contains("opened 4 KiB\n").contains("opened 4 MiB\n");
    }

    /// A heap of which the device holds a page, and one of which it holds all.
    static final class Opening {

        private Opening() {}

        public static void main(String[] args) {
            for (long budgetBytes : new long[] {4096, ByteSize.mib(4)}) {
                try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(2)).pageSize(4096).budget(budgetBytes).open()) {
                    for (int i = 0; i < 3; i++) {
                        MemorySegment segment = hmm.heap().allocate(16384, 4096);
                        hmm.heap().quota(segment, hmm.device(), 4096);
                        hmm.heap().quota(segment, hmm.device(), Long.MAX_VALUE);
                    }
                    System.out.println("opened " + ByteText.of(hmm.device().budgetBytes()));
                }
            }
        }
    }
}
