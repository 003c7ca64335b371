package io.github.hmm4j.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PageTableTest {

    @Test
    void anUntouchedPageIsEmptyAndOpen() {
        try (PageTable table = new PageTable(1L << 30)) {
            long word = table.word((1L << 30) - 1);
            assertThat(word).isZero();
            assertThat(table.state(0)).isEqualTo(PageState.EMPTY);
            assertThat(PageWord.isWritable(word)).isTrue();
        }
    }

    @Test
    void aTransitionOfAnOldWordFails() {
        try (PageTable table = new PageTable(1)) {
            long empty = table.word(0);
            assertThat(table.transition(0, Transition.FIRST_TOUCH, empty, PageWord.toHost(empty))).isTrue();
            assertThat(table.transition(0, Transition.FIRST_TOUCH, empty, PageWord.toHost(empty))).isFalse();
            assertThat(table.state(0)).isEqualTo(PageState.HOST);
        }
    }

    @Test
    void aCommitFailsWhenTheClaimWasTakenAwayAndMadeAgain() {
        try (PageTable table = new PageTable(1)) {
            long claim = claim(table, 1);
            long aborted = PageWord.toHost(claim);
            assertThat(table.transition(0, Transition.ABORT, claim, aborted)).isTrue();
            claim(table, 1);    // the same state again, and yet another claim
            assertThat(table.settle(0, Transition.COMMIT_DEVICE, claim, word -> PageWord.toDevice(word, 1))).isFalse();
            assertThat(table.state(0)).isEqualTo(PageState.TO_DEVICE);
        }
    }

    private static long claim(PageTable table, int device) {
        long word = table.word(0);
        long claim = PageWord.toClaimedForDevice(word, device, false);
        assertThat(table.transition(0, Transition.CLAIM_FOR_DEVICE, word, claim)).isTrue();
        return claim;
    }

    @Test
    void settlingKeepsPinsThatCameMeanwhile() {
        try (PageTable table = new PageTable(1)) {
            long claim = claim(table, 1);
            assertThat(table.pin(0, claim, false)).isTrue();
            assertThat(table.pin(0, claim, false)).isFalse(); // the word has one pin by now
            assertThat(table.settle(0, Transition.COMMIT_SHARED, claim, word -> PageWord.toShared(word, 2))).isTrue();
            assertThat(PageWord.readPins(table.word(0))).isEqualTo(1);
            table.unpin(0, false);
            assertThat(PageWord.isPinned(table.word(0))).isFalse();
        }
    }

    /// Claims settle again and again while other threads open and close views of the page: no pin is lost and no settlement fails.
    @Test
    void settlesWithConcurrentPins() throws InterruptedException {
        try (PageTable table = new PageTable(1)) {
            AtomicBoolean stop = new AtomicBoolean();
            CountDownLatch started = new CountDownLatch(3);
            List<Thread> viewers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                viewers.add(Thread.ofPlatform().start(() -> {
                    started.countDown();
                    while (!stop.get()) {
                        while (!table.pin(0, table.word(0), false)) {
                            Thread.onSpinWait();
                        }
                        table.unpin(0, false);
                    }
                }));
            }
            started.await();
            int lost = 0;
            for (int i = 0; i < 20_000; i++) {
                lost += round(table) ? 0 : 1;
            }
            stop.set(true);
            for (Thread viewer : viewers) {
                viewer.join();
            }
            assertThat(lost).isZero();
            assertThat(PageWord.isPinned(table.word(0))).isFalse();
            assertThat(PageWord.version(table.word(0))).isEqualTo(20_000 * 2);
        }
    }

    private static boolean round(PageTable table) {
        while (true) {
            long word = table.word(0);
            long claim = PageWord.toClaimedForDevice(word, 1, false);
            if (table.transition(0, Transition.CLAIM_FOR_DEVICE, word, claim)) {
                return table.settle(0, Transition.RELEASE, claim, PageWord::toHost);
            }
        }
    }
}
