package io.github.hmm4j.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackoffTest {

    private static final int PAUSES = 100;

    @Test
    void anInterruptedThreadNapsAndStaysInterrupted() {
        List<Boolean> interruptedNaps = new ArrayList<>();
        Backoff backoff = new Backoff(_ -> interruptedNaps.add(Thread.currentThread().isInterrupted()));
        Thread.currentThread().interrupt();
        try {
            for (int i = 0; i < PAUSES; i++) {
                backoff.pause();
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
            }
        } finally {
            Thread.interrupted();
        }
        assertThat(interruptedNaps).isNotEmpty().containsOnly(false);
    }

    @Test
    void whoIsInterruptedWhileNappingStaysSo() {
        Backoff backoff = new Backoff(_ -> Thread.currentThread().interrupt());
        for (int i = 0; i < PAUSES; i++) {
            backoff.pause();
        }
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void napsGrowToAMillisecond() {
        List<Long> naps = new ArrayList<>();
        Backoff backoff = new Backoff(naps::add);
        for (int i = 0; i < PAUSES; i++) {
            backoff.pause();
        }
        assertThat(naps).isSorted().endsWith(1_000_000L).first().isEqualTo(10_000L);
    }
}
