package io.github.hmm4j.mirror;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.space.VaRange;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NotifierTest {

    private final Notifier notifier = new Notifier();
    private final ReentrantLock lock = new ReentrantLock();
    private final List<Invalidation> heard = new ArrayList<>();

    @Test
    void tellsThoseWhoseRangeOverlapsBeforeTheChange() {
        Subscription low = subscribe(0, 10);
        Subscription high = subscribe(10, 20);
        long lowSeq = low.readBegin();
        long highSeq = high.readBegin();
        try (var _ = notifier.begin(range(5, 10), InvalidationKind.CLEAR, 1)) {
            assertThat(heard).containsExactly(new Invalidation(range(5, 10), InvalidationKind.CLEAR, 1));
            assertThat(low.checkRetry(lowSeq)).isTrue();
            assertThat(high.checkRetry(highSeq)).isFalse();
            assertThat(high.readBegin()).as("is not concerned and does not wait").isEqualTo(highSeq);
        }
        assertThat(retry(low, lowSeq)).isTrue();
        assertThat(retry(high, highSeq)).isFalse();
        assertThat(retry(low, low.readBegin())).isFalse();
    }

    @Test
    void everyInvalidationChangesTheNumberAgain() {
        Subscription mirror = subscribe(0, 10);
        for (int i = 0; i < 5; i++) {
            long seq = mirror.readBegin();
            assertThat(seq % 2).isEqualTo(1);
            assertThat(retry(mirror, seq)).isFalse();
            notifier.begin(range(0, 1), InvalidationKind.PROTECT, -1).close();
            assertThat(retry(mirror, seq)).isTrue();
        }
        assertThat(heard).hasSize(5);
    }

    @Test
    void aReaderWaitsForTheLastOfSeveralInvalidations() throws Exception {
        Subscription mirror = subscribe(0, 10);
        Notifier.Token first = notifier.begin(range(0, 5), InvalidationKind.MIGRATE, 0);
        Notifier.Token second = notifier.begin(range(5, 8), InvalidationKind.MIGRATE, 0);
        CompletableFuture<Long> seq = new CompletableFuture<>();
        Thread reader = Thread.ofPlatform().start(() -> seq.complete(mirror.readBegin()));
        awaitWaiting(reader);
        first.close();
        awaitWaiting(reader);
        assertThat(seq).isNotDone();
        second.close();
        reader.join();
        assertThat(retry(mirror, seq.join())).isFalse();
    }

    @Test
    void whoSubscribesDuringAnAnnouncedInvalidationWaitsForItsEnd() throws Exception {
        Subscription other = notifier.subscribe(range(0, 10), new ReentrantLock(), _ -> {});
        Notifier.Token change = notifier.begin(range(0, 5), InvalidationKind.UNMAP, -1);
        checkLateSubscriber(change);
        other.close();
    }

    @Test
    void whoSubscribesDuringAnInvalidationThatConcernsNobodyWaitsForItsEnd() throws Exception {
        Subscription other = notifier.subscribe(range(50, 60), new ReentrantLock(), _ -> {});
        Notifier.Token change = notifier.begin(range(0, 5), InvalidationKind.UNMAP, -1);
        checkLateSubscriber(change);
        other.close();
    }

    @Test
    void whoSubscribesDuringAnUnannouncedInvalidationWaitsForItsEnd() throws Exception {
        checkLateSubscriber(notifier.begin(range(0, 5), InvalidationKind.UNMAP, -1));
    }

    private void checkLateSubscriber(Notifier.Token change) throws InterruptedException {
        heard.clear();
        Subscription late = subscribe(0, 10);
        CompletableFuture<Long> seq = new CompletableFuture<>();
        Thread reader = Thread.ofPlatform().start(() -> seq.complete(late.readBegin()));
        awaitWaiting(reader);
        assertThat(seq).isNotDone();
        change.close();
        reader.join();
        assertThat(retry(late, seq.join())).isFalse();
        assertThat(heard).as("it began without the subscriber").isEmpty();
        notifier.begin(range(0, 5), InvalidationKind.UNMAP, -1).close();
        assertThat(heard).hasSize(1);
        assertThat(retry(late, seq.join())).isTrue();
    }

    @Test
    void unsubscribingWaitsForTheCallback() throws Exception {
        CountDownLatch inCallback = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Subscription mirror = notifier.subscribe(range(0, 10), lock, event -> {
            heard.add(event);
            inCallback.countDown();
            awaitLatch(goOn);
        });
        Thread changer = Thread.ofPlatform()
                .start(() -> notifier.begin(range(0, 1), InvalidationKind.CLEAR, -1).close());
        inCallback.await();
        Thread remover = Thread.ofPlatform().start(mirror::close);
        awaitWaiting(remover);
        assertThat(notifier.subscriptionCount()).isZero();
        goOn.countDown();
        remover.join();
        changer.join();
        notifier.begin(range(0, 1), InvalidationKind.CLEAR, -1).close();
        assertThat(heard).hasSize(1);
        mirror.close();
        assertThatThrownBy(mirror::readBegin).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
    }

    @Test
    void aCallbackThatThrowsStopsNeitherTheChangeNorTheOthers() {
        Subscription bad = notifier.subscribe(range(0, 10), new ReentrantLock(), _ -> {
            throw new AssertionError("a mirror's mistake, thrown on purpose");
        });
        subscribe(0, 10);
        long seq = bad.readBegin();
        notifier.begin(range(0, 1), InvalidationKind.CLEAR, -1).close();
        assertThat(heard).hasSize(1);
        assertThat(bad.checkRetry(seq)).isTrue();
        assertThat(bad.lock().isLocked()).isFalse();
        bad.close();
    }

    @Test
    void refusesWhatWouldWaitForItself() {
        Subscription mirror = subscribe(0, 10);
        long seq = mirror.readBegin();
        assertThatThrownBy(() -> mirror.readRetry(seq)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("lock");
        lock.lock();
        try {
            assertThatThrownBy(mirror::readBegin).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("held");
            assertThatThrownBy(mirror::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("held");
        } finally {
            lock.unlock();
        }
        List<Throwable> refused = new ArrayList<>();
        Subscription curious = notifier.subscribe(range(0, 10), new ReentrantLock(), _ -> {
            for (Runnable call : List.<Runnable>of(mirror::close, mirror::readBegin)) {
                try {
                    call.run();
                } catch (IllegalStateException e) {
                    refused.add(e);
                }
            }
        });
        notifier.begin(range(0, 1), InvalidationKind.CLEAR, -1).close();
        assertThat(refused).hasSize(2).allSatisfy(e -> assertThat(e).hasMessageContaining("callback"));
        curious.close();
        mirror.close();
        assertThatThrownBy(() -> subscribe(3, 3)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void invalidationsMayNestInACallback() {
        List<VaRange> order = new ArrayList<>();
        notifier.subscribe(range(0, 10), lock, event -> {
            order.add(event.range());
            if (event.range().startBytes() == 0) {
                notifier.begin(range(1, 2), InvalidationKind.CLEAR, -1).close();
            }
        });
        Subscription reader = subscribe(0, 10);
        notifier.begin(range(0, 1), InvalidationKind.CLEAR, -1).close();
        assertThat(order).containsExactly(range(0, 1), range(1, 2));
        assertThat(retry(reader, reader.readBegin())).isFalse();
    }

    private Subscription subscribe(long start, long end) {
        return notifier.subscribe(range(start, end), lock, heard::add);
    }

    private static boolean retry(Subscription subscription, long seq) {
        subscription.lock().lock();
        try {
            return subscription.readRetry(seq);
        } finally {
            subscription.lock().unlock();
        }
    }

    private static VaRange range(long start, long end) {
        return new VaRange(start, end);
    }

    private static void awaitWaiting(Thread thread) {
        while (thread.getState() != Thread.State.WAITING) {
            assertThat(thread.getState()).isNotEqualTo(Thread.State.TERMINATED);
            Thread.onSpinWait();
        }
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
