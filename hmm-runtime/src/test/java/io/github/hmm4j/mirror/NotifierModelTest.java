package io.github.hmm4j.mirror;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.space.VaRange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Random threads change pages and keep mirrors of them. Whatever a mirror shows while its lock is held must be true at
/// that moment, and nothing of a range may be left in a mirror while the range is being changed.
@Timeout(120)
class NotifierModelTest {

    private static final int PAGES = 16;

    private final Notifier notifier = new Notifier();
    private final AtomicLongArray pages = new AtomicLongArray(PAGES);
    // One change of a page at a time, as page claims see to in the heap.
    private final ReentrantLock[] claims = new ReentrantLock[PAGES];
    private final AtomicLong filled = new AtomicLong();
    private final AtomicLong retried = new AtomicLong();

    private final class Mirror {
        final ReentrantLock lock = new ReentrantLock();
        final Map<Integer, Long> entries = new HashMap<>();
        final Subscription subscription;

        Mirror(int first, int end) {
            subscription = notifier.subscribe(new VaRange(first, end), lock, event -> entries.keySet()
                    .removeIf(page -> event.range().contains(VaRange.ofLength(page, 1))));
        }

        void fill(int first, int end) {
            long seq = subscription.readBegin();
            Map<Integer, Long> seen = new HashMap<>();
            for (int page = first; page < end; page++) {
                seen.put(page, pages.get(page));
                Thread.yield();
            }
            lock.lock();
            try {
                if (subscription.readRetry(seq)) {
                    retried.incrementAndGet();
                    return;
                }
                entries.putAll(seen);
                filled.incrementAndGet();
                check("just filled");
            } finally {
                lock.unlock();
            }
        }

        void check(String where) {
            lock.lock();
            try {
                entries.forEach((page, value) -> assertThat(value).as("%s: page=%d", where, page)
                        .isEqualTo(pages.get(page)));
            } finally {
                lock.unlock();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 20261120})
    void mirrorsThatStayNeverShowAStalePage(long seed) throws Exception {
        Mirror whole = new Mirror(0, PAGES);
        Mirror half = new Mirror(0, PAGES / 2);
        List<Callable<?>> threads = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            threads.add(changer(seed + i));
            threads.add(filler(seed + 10 + i, whole, PAGES));
        }
        threads.add(filler(seed + 20, half, PAGES / 2));
        runAll(seed, threads);
        assertThat(filled.get()).as("seed=" + seed).isPositive();
        assertThat(retried.get()).as("seed=" + seed).isPositive();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 20261120})
    void mirrorsThatComeAndGoNeverShowAStalePage(long seed) throws Exception {
        Random random = new Random(seed);
        Callable<?> visitor = () -> {
            for (int step = 0; step < 10_000; step++) {
                Mirror mirror = new Mirror(0, PAGES);
                int first = random.nextInt(PAGES);
                for (int use = random.nextInt(3); use >= 0; use--) {
                    mirror.fill(first, Math.min(PAGES, first + 1 + random.nextInt(4)));
                    mirror.check("seed=" + seed + ", step=" + step);
                }
                mirror.subscription.close();
                for (int pause = random.nextInt(4); pause > 0; pause--) {
                    Thread.yield();    // nobody subscribes meanwhile
                }
            }
            return null;
        };
        List<Callable<?>> threads = List.of(visitor, changer(seed + 1), changer(seed + 2));
        runAll(seed, threads);
        assertThat(filled.get()).as("seed=" + seed).isPositive();
        assertThat(notifier.subscriptionCount()).isZero();
    }

    private Callable<?> filler(long seed, Mirror mirror, int end) {
        Random random = new Random(seed);
        return () -> {
            for (int step = 0; step < 5000; step++) {
                int first = random.nextInt(end);
                mirror.fill(first, first + 1 + random.nextInt(end - first));
                mirror.check("seed=" + seed + ", step=" + step);
            }
            return null;
        };
    }

    /// Changes ranges of one to four pages; while it does, a page is negative, which no mirror may ever see.
    private Callable<?> changer(long seed) {
        Random random = new Random(seed);
        return () -> {
            for (int step = 0; step < 20_000; step++) {
                int first = random.nextInt(PAGES);
                int end = Math.min(PAGES, first + 1 + random.nextInt(4));
                try (var _ = notifier.begin(new VaRange(first, end), InvalidationKind.MIGRATE, -1)) {
                    for (int page = first; page < end; page++) {
                        claims[page].lock();
                        long before = pages.get(page);
                        pages.set(page, -1);
                        Thread.yield();
                        pages.set(page, before + 1);
                        claims[page].unlock();
                    }
                }
            }
            return null;
        };
    }

    private void runAll(long seed, List<Callable<?>> threads) throws Exception {
        for (int page = 0; page < PAGES; page++) {
            claims[page] = new ReentrantLock();
        }
        try (ExecutorService pool = Executors.newCachedThreadPool()) {
            List<Future<?>> ends = new ArrayList<>();
            for (Callable<?> thread : threads) {
                ends.add(pool.submit(thread));
            }
            for (Future<?> end : ends) {
                try {
                    end.get();
                } catch (java.util.concurrent.ExecutionException e) {
                    throw new AssertionError("seed=" + seed, e.getCause());
                }
            }
        }
    }
}
