package io.github.hmm4j.space;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HostMemoryTest {

    private static final long MIB = 1L << 20;

    private final HostMemory host = new HostMemory(256 * MIB, PageSize.DEFAULT, null);

    @AfterEach
    void close() {
        host.close();
    }

    @Test
    void freedMemoryReadsAsZerosWhetherItIsKeptOrNot() {
        fill(0, 2 * MIB);
        host.retire(pages(0, 2 * MIB));
        assertThat(host.spareBytes()).isEqualTo(2 * MIB);
        assertZero(0, 2 * MIB);
        fill(4 * MIB, MIB);
        host.release(pages(4 * MIB, MIB));
        assertThat(host.spareBytes()).isEqualTo(2 * MIB);
        assertZero(4 * MIB, MIB);
    }

    @Test
    void allocatedMemoryIsNotSpareAnyMore() {
        host.retire(pages(0, 2 * MIB));
        host.reuse(pages(0, 2 * MIB));
        assertThat(host.spareBytes()).isZero();
    }

    @Test
    void whatSticksOutOfAnAllocationStays() {
        fill(2 * MIB, 6 * MIB);
        host.retire(pages(2 * MIB, 6 * MIB));
        host.retire(pages(20 * MIB, MIB));
        host.reuse(pages(4 * MIB, 2 * MIB));
        fill(4 * MIB, 2 * MIB); // as its new owner would
        assertThat(host.spareBytes()).isEqualTo(5 * MIB);
        host.reuse(pages(MIB, 2 * MIB));
        host.reuse(pages(7 * MIB, 2 * MIB));
        assertThat(host.spareBytes()).isEqualTo(3 * MIB);
        assertZero(2 * MIB, 2 * MIB);
        assertThat(host.alias().get(ValueLayout.JAVA_BYTE, 4 * MIB)).isEqualTo((byte) 0x5A);
        assertThat(host.alias().get(ValueLayout.JAVA_BYTE, 6 * MIB - 1)).isEqualTo((byte) 0x5A);
        assertZero(6 * MIB, 2 * MIB);
    }

    /// Beside a set of what is kept: only a tail for which there is no room is given back, and that is said.
    @Test
    void whatIsKeptIsWhatWasNotAllocatedSince() {
        SplittableRandom random = new SplittableRandom(4711);
        BitSet released = new BitSet();
        SparePages spare = new SparePages((offset, length) -> released.set((int) offset, (int) (offset + length)));
        BitSet kept = new BitSet();
        for (int step = 0; step < 20_000; step++) {
            int start = random.nextInt(2_000);
            int end = start + 1 + random.nextInt(random.nextInt(20) == 0 ? 400 : 20);
            if (random.nextBoolean() && kept.get(start, end).isEmpty()) {
                spare.add(start, end - start);
                kept.set(start, end);
            } else {
                released.clear();
                spare.remove(start, end - start);
                kept.clear(start, end);
                assertThat(released.get(start, end).isEmpty()).as("what is allocated stays").isTrue();
                assertThat(released.intersects(kept) || released.isEmpty()).as("only what was kept is given back").isTrue();
                kept.andNot(released);
            }
            assertThat(spare.totalBytes()).isEqualTo(kept.cardinality());
        }
    }

    @Test
    void theOldestGoWhenThereIsTooMuch() {
        long half = SparePages.LIMIT_BYTES / 2;
        host.retire(pages(0, half));
        host.retire(pages(half, half));
        host.retire(pages(2 * half, MIB));
        assertThat(host.spareBytes()).isEqualTo(half + MIB);
        host.retire(pages(128 * MIB, SparePages.LIMIT_BYTES + MIB));
        assertThat(host.spareBytes()).as("one that is too large drives nobody out").isEqualTo(half + MIB);
    }

    /// Ranges that begin and end anywhere in the words that hold what is known, beside a set.
    @Test
    void whatHasMemoryIsKnownPageByPage() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        BitSet backed = new BitSet();
        for (int round = 0; round < 2_000; round++) {
            int first = random.nextInt(300);
            int end = first + random.nextInt(200);
            if (random.nextBoolean()) {
                host.noteBacked(new PageRange(first, end));
                backed.set(first, end);
            } else {
                host.forgetBacked(first, end);
                backed.clear(first, end);
            }
            for (int page = 0; page < 520; page++) {
                assertThat(host.isBacked(page)).as("seed=%d, round=%d, page=%d", seed, round, page).isEqualTo(backed.get(page));
            }
        }
    }

    /// Pages of one word are noted and forgotten by different threads, each of which has claimed its own.
    @Test
    void whoNotesAPageLeavesThoseBesideItAlone() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<Integer>> both = new ArrayList<>();
            CountDownLatch begin = new CountDownLatch(2);
            for (int page : new int[] {70, 71}) {
                both.add(threads.submit(() -> {
                    PageRange own = new PageRange(page, page + 1);
                    begin.countDown();
                    begin.await();
                    int lost = 0;
                    for (int i = 0; i < 2_000_000; i++) {
                        host.noteBacked(own);
                        lost += host.isBacked(page) ? 0 : 1;
                        host.forgetBacked(page, page + 1);
                        lost += host.isBacked(page) ? 1 : 0;
                    }
                    return lost;
                }));
            }
            for (Future<Integer> lost : both) {
                assertThat(lost.get()).isZero();
            }
        }
    }

    private static PageRange pages(long offsetBytes, long lengthBytes) {
        return new PageRange(PageSize.DEFAULT.pageOf(offsetBytes), PageSize.DEFAULT.pageOf(offsetBytes + lengthBytes));
    }

    private void fill(long offsetBytes, long lengthBytes) {
        host.alias().asSlice(offsetBytes, lengthBytes).fill((byte) 0x5A);
    }

    private void assertZero(long offsetBytes, long lengthBytes) {
        MemorySegment bytes = host.alias().asSlice(offsetBytes, lengthBytes);
        for (long i = 0; i < lengthBytes; i += Long.BYTES) {
            if (bytes.get(ValueLayout.JAVA_LONG, i) != 0) {
                assertThat(bytes.get(ValueLayout.JAVA_LONG, i)).as("word at offset %d", offsetBytes + i).isZero();
            }
        }
    }
}
