package io.github.hmm4j.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.hmm4j.space.PageRange;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HostLockTest {

    private static final PageRange LOW = new PageRange(0, 10);
    private static final PageRange MIDDLE = new PageRange(5, 15);
    private static final PageRange HIGH = new PageRange(10, 20);

    private final HostLock lock = new HostLock();

    /// A thread that takes something, says so, and gives it back.
    private final class Taker {

        private final CountDownLatch has = new CountDownLatch(1);
        private final Thread thread;

        Taker(Supplier<HostLock.Hold> take) {
            thread = Thread.ofPlatform().daemon().start(() -> {
                try (HostLock.Hold _ = take.get()) {
                    has.countDown();
                }
            });
        }

        void gets() throws InterruptedException {
            assertThat(has.await(20, TimeUnit.SECONDS)).isTrue();
            thread.join();
        }

        Taker waits() {
            while (thread.getState() != Thread.State.WAITING) {
                assertThat(has.getCount()).isOne();
                Thread.onSpinWait();
            }
            return this;
        }
    }

    @Test
    void sharingOtherPagesIsInNobodysWay() throws InterruptedException {
        Taker same;
        try (HostLock.Hold _ = lock.shared(LOW)) {
            new Taker(() -> lock.exclusive(List.of(HIGH))).gets();
            same = new Taker(() -> lock.exclusive(List.of(HIGH, MIDDLE))).waits();
            new Taker(() -> lock.exclusive(List.of(HIGH))).gets(); // who waits for pages has none yet
        }
        same.gets();
    }

    @Test
    void whoWaitsForPagesKeepsOthersFromThoseOnly() throws InterruptedException {
        Taker waiting;
        Taker late;
        try (HostLock.Hold _ = lock.shared(LOW)) {
            waiting = new Taker(() -> lock.exclusive(List.of(LOW))).waits();
            new Taker(() -> lock.shared(HIGH)).gets();
            late = new Taker(() -> lock.shared(MIDDLE)).waits();
            try (HostLock.Hold _ = lock.shared(LOW)) { // who shares already does not stand behind that
                waiting.waits();
            }
        }
        waiting.gets();
        late.gets();
    }

    @Test
    void allPagesMeetEveryOne() throws InterruptedException {
        Taker one;
        Taker all;
        try (HostLock.Hold _ = lock.exclusive(List.of(LOW))) {
            all = new Taker(lock::shared).waits();
            new Taker(() -> lock.shared(HIGH)).gets();
        }
        all.gets();
        try (HostLock.Hold _ = lock.exclusive()) {
            one = new Taker(() -> lock.shared(HIGH)).waits();
        }
        one.gets();
    }

    @Test
    void oneThreadAtATimeChangesSomething() throws InterruptedException {
        Taker other;
        try (HostLock.Hold _ = lock.exclusive(List.of(LOW))) {
            other = new Taker(() -> lock.exclusive(List.of(HIGH))).waits();
        }
        other.gets();
    }

    @Test
    void whoHasPagesMayShareAnyToo() {
        try (HostLock.Hold _ = lock.exclusive(List.of(LOW)); HostLock.Hold shared = lock.shared(); HostLock.Hold _ = lock.shared(MIDDLE)) {
            assertThatIllegalStateException().isThrownBy(lock::exclusive);
            assertThat(shared).isNotNull();
        }
        try (HostLock.Hold _ = lock.shared(LOW)) {
            assertThatIllegalStateException().isThrownBy(() -> lock.exclusive(List.of(HIGH)));
        }
        lock.exclusive().close();
    }

    @Test
    void whatWasMadeAheadIsSharedAgain() throws InterruptedException {
        HostLock.Hold hold = lock.forAll();
        new Taker(lock::exclusive).gets(); // nobody has it yet
        for (int i = 0; i < 2; i++) {
            Taker alone;
            try (HostLock.Hold _ = hold.share()) {
                alone = new Taker(lock::exclusive).waits();
            }
            alone.gets();
        }
    }

    @Test
    void anInterruptIsKeptForLater() throws InterruptedException {
        Thread thread;
        CountDownLatch kept = new CountDownLatch(1);
        try (HostLock.Hold _ = lock.shared(LOW)) {
            thread = Thread.ofPlatform().daemon().start(() -> {
                try (HostLock.Hold _ = lock.exclusive(List.of(LOW))) {
                    if (Thread.currentThread().isInterrupted()) {
                        kept.countDown();
                    }
                }
            });
            while (thread.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            thread.interrupt();
        }
        assertThat(kept.await(20, TimeUnit.SECONDS)).isTrue();
        thread.join();
    }
}
