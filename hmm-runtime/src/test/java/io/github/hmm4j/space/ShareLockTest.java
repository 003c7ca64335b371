package io.github.hmm4j.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ShareLockTest {

    private final ShareLock lock = new ShareLock();

    @Test
    void manyShareItAndOneHasItAlone() throws InterruptedException {
        lock.share();
        lock.share();
        Thread alone = Thread.ofPlatform().daemon().start(() -> {
            lock.takeAlone();
            lock.leave();
        });
        awaitWaiting(alone);
        lock.share(); // who shares it already does not stand behind that
        CountDownLatch shared = new CountDownLatch(1);
        Thread other = Thread.ofPlatform().daemon().start(() -> {
            lock.share();
            shared.countDown();
            lock.unshare();
        });
        awaitWaiting(other); // but others do
        lock.unshare();
        lock.unshare();
        lock.unshare();
        assertThat(shared.await(20, TimeUnit.SECONDS)).isTrue();
        alone.join();
        other.join();
    }

    @Test
    void whoHasItAloneMayShareItToo() {
        lock.takeAlone();
        lock.takeAlone();
        lock.share();
        assertThat(lock.isSharedByMe()).isTrue();
        lock.unshare();
        lock.leave();
        lock.leave();
        assertThat(lock.isSharedByMe()).isFalse();
    }

    @Test
    void sharedItCannotBeTakenAlone() {
        lock.share();
        assertThatThrownBy(lock::takeAlone).isInstanceOf(IllegalStateException.class);
        lock.unshare();
        assertThatThrownBy(lock::unshare).isInstanceOf(IllegalMonitorStateException.class);
        assertThatThrownBy(lock::leave).isInstanceOf(IllegalMonitorStateException.class);
    }

    @Test
    void whatIsOpenIsSharedUntilItIsShut() throws InterruptedException {
        lock.takeAlone();
        CountDownLatch shared = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Thread sharer = Thread.ofPlatform().daemon().start(() -> {
            lock.share();
            shared.countDown();
            await(go);
            lock.unshare();
        });
        awaitWaiting(sharer);
        Thread another = Thread.ofPlatform().daemon().start(() -> {
            lock.takeAlone();
            lock.leave();
        });
        awaitWaiting(another); // which does not keep anybody from sharing what is open
        lock.open();
        assertThat(shared.await(20, TimeUnit.SECONDS)).isTrue();
        CountDownLatch shut = new CountDownLatch(1);
        lock.open();
        lock.shut(); // not the last
        Thread late = Thread.ofPlatform().daemon().unstarted(() -> {
            lock.share();
            lock.unshare();
        });
        Thread.ofPlatform().daemon().start(() -> {
            await(shut);
            go.countDown();
        });
        shut.countDown();
        lock.shut(); // waits for the sharer
        late.start();
        awaitWaiting(late);
        lock.leave();
        for (Thread thread : new Thread[] {sharer, another, late}) {
            thread.join();
        }
    }

    /// Who shares what was open is waited for, and may need it once more before it gives it back.
    @Test
    void whoSharesWhatIsBeingShutMayShareItAgain() throws InterruptedException {
        lock.takeAlone();
        lock.open();
        CountDownLatch shared = new CountDownLatch(1);
        Thread shutting = Thread.currentThread();
        Thread sharer = Thread.ofPlatform().daemon().start(() -> {
            lock.share();
            shared.countDown();
            awaitWaiting(shutting);
            lock.share();
            lock.unshare();
            lock.unshare();
        });
        while (shared.getCount() > 0) {
            Thread.onSpinWait(); // this thread waits only when it shuts
        }
        lock.shut();
        lock.leave();
        sharer.join();
    }

    @Test
    void onlyWhoHasItAloneOpensIt() {
        assertThatThrownBy(lock::open).isInstanceOf(IllegalMonitorStateException.class);
        lock.share();
        assertThatThrownBy(lock::open).isInstanceOf(IllegalMonitorStateException.class);
        lock.unshare();
    }

    @Test
    void moreSharersThanThereWasRoomFor() throws InterruptedException {
        int threads = 100;
        CountDownLatch sharing = new CountDownLatch(threads);
        CountDownLatch go = new CountDownLatch(1);
        Thread[] sharers = new Thread[threads];
        for (int i = 0; i < threads; i++) {
            sharers[i] = Thread.ofPlatform().daemon().start(() -> {
                lock.share();
                sharing.countDown();
                await(go);
                lock.unshare();
            });
        }
        sharing.await();
        go.countDown();
        lock.takeAlone();
        lock.leave();
        for (Thread sharer : sharers) {
            sharer.join();
        }
    }

    @Test
    void anInterruptIsKept() throws InterruptedException {
        lock.takeAlone();
        boolean[] interrupted = new boolean[1];
        Thread other = Thread.ofPlatform().daemon().start(() -> {
            Thread.currentThread().interrupt();
            lock.share();
            interrupted[0] = Thread.interrupted();
            lock.unshare();
        });
        awaitWaiting(other);
        lock.leave();
        other.join();
        assertThat(interrupted[0]).isTrue();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void awaitWaiting(Thread thread) {
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }
}
