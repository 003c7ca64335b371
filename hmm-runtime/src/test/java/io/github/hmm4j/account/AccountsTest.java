package io.github.hmm4j.account;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AccountsTest {

    @Test
    void keepsEveryCauseAndDirectionApart() {
        Accounts accounts = new Accounts();
        int amount = 1;
        for (Cause cause : Cause.values()) {
            for (Direction direction : Direction.values()) {
                accounts.moved(cause, direction, amount, amount * 100L);
                amount++;
            }
        }
        amount = 1;
        for (Cause cause : Cause.values()) {
            for (Direction direction : Direction.values()) {
                assertThat(accounts.pagesMoved(cause, direction)).isEqualTo(amount);
                assertThat(accounts.bytesMoved(cause, direction)).isEqualTo(amount * 100L);
                amount++;
            }
        }
        assertThat(accounts.bytesMoved(Direction.TO_DEVICE) + accounts.bytesMoved(Direction.TO_HOST))
                .isEqualTo(amount * (amount - 1L) / 2 * 100);
    }

    @Test
    void countsEveryCounterByItself() {
        Accounts accounts = new Accounts();
        for (Counter counter : Counter.values()) {
            accounts.add(counter, counter.ordinal());
            accounts.increment(counter);
        }
        accounts.counts().forEach((counter, count) -> assertThat(count).isEqualTo(counter.ordinal() + 1L));
        assertThat(accounts.counts()).hasSize(Counter.values().length);
    }

    @Test
    void losesNothingBetweenThreads() throws InterruptedException {
        Accounts accounts = new Accounts();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                for (int n = 0; n < 10_000; n++) {
                    accounts.moved(Cause.LAUNCH, Direction.TO_DEVICE, 1, 2);
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(accounts.pagesMoved(Cause.LAUNCH, Direction.TO_DEVICE)).isEqualTo(40_000);
        assertThat(accounts.bytesMoved(Cause.LAUNCH, Direction.TO_DEVICE)).isEqualTo(80_000);
    }

    @Test
    void namesAreStableAndUnique() {
        assertThat(Counter.values()).extracting(Counter::label).doesNotHaveDuplicates().allMatch(label -> label.matches("[a-z]+\\.[a-zA-Z]+"));
        assertThat(Counter.values()).extracting(Counter::meaning).doesNotHaveDuplicates();
        assertThat(Cause.values()).extracting(Cause::meaning).doesNotHaveDuplicates();
    }
}
