package io.github.hmm4j.page;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.Protection;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PageTableTest {

    @Test
    void anUntouchedPageIsEmptyAndOpen() {
        try (PageTable table = new PageTable(1L << 30, PageSize.DEFAULT)) {
            long word = table.word((1L << 30) - 1);
            assertThat(word).isZero();
            assertThat(table.state(0)).isEqualTo(PageState.EMPTY);
            assertThat(PageWord.isWritable(word)).isTrue();
        }
    }

    @Test
    void aTransitionOfAnOldWordFails() {
        try (PageTable table = new PageTable(1, PageSize.DEFAULT)) {
            long empty = table.word(0);
            assertThat(table.transition(0, Transition.FIRST_TOUCH, empty, PageWord.toHost(empty))).isTrue();
            assertThat(table.transition(0, Transition.FIRST_TOUCH, empty, PageWord.toHost(empty))).isFalse();
            assertThat(table.state(0)).isEqualTo(PageState.HOST);
        }
    }

    @Test
    void aCommitFailsWhenTheClaimWasTakenAwayAndMadeAgain() {
        try (PageTable table = new PageTable(1, PageSize.DEFAULT)) {
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
        try (PageTable table = new PageTable(1, PageSize.DEFAULT)) {
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
        try (PageTable table = new PageTable(1, PageSize.DEFAULT)) {
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

    /// Whatever takes something from a device is counted, in its block and in no other, and nothing else is.
    @Test
    void countsWhatIsTakenFromDevices() {
        PageSize size = PageSize.of(4096);
        long page = size.pagesPerBlock(); // the first of block 1
        try (PageTable table = new PageTable(3L * size.pagesPerBlock(), size)) {
            long empty = table.word(page);
            long claim = PageWord.toClaimedForDevice(empty, 3, true);
            long owned = PageWord.toDevice(claim, 3);
            long home = PageWord.toClaimedForHost(owned, false);
            long shared = PageWord.toShared(home, 1 << 3);
            assertThat(table.transition(page, Transition.CLAIM_FOR_DEVICE, empty, claim)).isTrue();
            assertThat(table.transition(page, Transition.COMMIT_DEVICE, claim, owned)).isTrue();
            assertThat(taken(table, 1)).isZero();
            assertThat(table.transition(page, Transition.CLAIM_FOR_HOST, owned, home)).isTrue();
            assertThat(taken(table, 1)).isEqualTo(1);
            assertThat(table.transition(page, Transition.LAND_SHARED, home, shared)).isTrue();
            assertThat(table.pin(page, shared, false)).isTrue(); // a view that reads takes nothing from a device that reads
            table.unpin(page, false);
            assertThat(taken(table, 1)).isEqualTo(1);
            assertThat(table.pin(page, shared, true)).isTrue();
            assertThat(taken(table, 1)).isEqualTo(2);
            table.unpin(page, true);
            long refused = PageWord.withProtection(table.word(page), Protection.NONE);
            assertThat(table.transition(page, Transition.PROTECT, table.word(page), refused)).isTrue();
            assertThat(taken(table, 1)).isEqualTo(3);
            assertThat(taken(table, 0)).isZero();
            assertThat(taken(table, 2)).isZero();
        }
    }

    private static long taken(PageTable table, long block) {
        assertThat(table.changes(block) & 0xffff).as("nobody is in the middle of a change").isZero();
        return table.changes(block) << 4 >>> 20; // without what is said of its words
    }

    @Test
    void aBlockSpeaksForWordsThatNobodyHasWritten() {
        PageSize size = PageSize.of(4096);
        long first = size.pagesPerBlock();
        long end = 2 * first;
        try (PageTable table = new PageTable(3L * size.pagesPerBlock(), size)) {
            assertThat(table.setBlock(first, end, PageWord.unwrittenWithoutRegion())).isEqualTo(end);
            assertThat(table.state(first)).isEqualTo(PageState.UNMAPPED);
            assertThat(table.state(end - 1)).isEqualTo(PageState.UNMAPPED);
            assertThat(table.state(first - 1)).isEqualTo(PageState.EMPTY);
            assertThat(table.state(end)).isEqualTo(PageState.EMPTY);
            assertThat(table.setBlock(first, end, PageWord.unwritten(Protection.READ))).isEqualTo(end);
            assertThat(PageWord.describe(table.word(first))).startsWith("EMPTY r ");
            assertThat(table.setBlock(first, end, PageWord.unwritten(Protection.NONE))).isEqualTo(end);
            assertThat(PageWord.describe(table.word(first))).startsWith("EMPTY none ");
            assertThat(table.setBlock(first, end, PageWord.unwritten(Protection.READ_WRITE))).isEqualTo(end);
            assertThat(table.word(first)).isZero();
            assertThat(table.writtenFrom(0, table.pageCount())).as("nothing was written").isEqualTo(table.pageCount());
            assertThat(table.setBlock(first, end - 1, PageWord.unwrittenWithoutRegion())).as("not a whole block").isEqualTo(first);
            assertThat(table.setBlock(first + 1, end, PageWord.unwrittenWithoutRegion())).as("not a whole block").isEqualTo(first + 1);
        }
    }

    @Test
    void noTwoThingsThatABlockSaysHaveTheSameVersion() {
        assertThat(List.of(PageWord.unwrittenWithoutRegion(), PageWord.unwritten(Protection.READ_WRITE), PageWord.unwritten(Protection.READ), PageWord.unwritten(Protection.NONE)))
                .extracting(PageWord::version).doesNotHaveDuplicates();
    }

    @Test
    void aWordThatChangesWritesItsBlockOut() {
        PageSize size = PageSize.of(4096);
        long first = size.pagesPerBlock();
        long end = 2 * first;
        try (PageTable table = new PageTable(3L * size.pagesPerBlock(), size)) {
            table.setBlock(first, end, PageWord.unwritten(Protection.READ));
            long word = table.word(first + 7);
            assertThat(table.transition(first + 7, Transition.MARK_READ, word, PageWord.toEmptyMarkedRead(word))).isTrue();
            assertThat(table.setBlock(first, end, PageWord.unwrittenWithoutRegion())).as("now each word is what it says").isEqualTo(first);
            assertThat(table.word(end - 1)).isEqualTo(word);
            assertThat(table.wordByBlock(first + 7)).isEqualTo(PageWord.toEmptyMarkedRead(word));
            assertThat(table.writtenFrom(0, table.pageCount())).isEqualTo(first);
            assertThat(table.unwrittenFrom(first, table.pageCount())).isEqualTo(end);
        }
    }

    @Test
    void aWordFromBeforeTheBlockChangedIsNotChanged() {
        try (PageTable table = new PageTable(PageSize.DEFAULT.pagesPerBlock(), PageSize.DEFAULT)) {
            long end = table.pageCount();
            long word = table.word(3);
            table.setBlock(0, end, PageWord.unwrittenWithoutRegion());
            assertThat(table.transition(3, Transition.FIRST_TOUCH, word, PageWord.toHost(word))).isFalse();
            assertThat(table.pin(3, word, true)).isFalse();
            assertThat(table.writtenFrom(0, end)).as("nobody has written it out for that").isEqualTo(end);
            long closed = table.word(3);
            table.setBlock(0, end, PageWord.unwritten(Protection.READ_WRITE));
            assertThat(table.transition(3, Transition.MAP, closed, PageWord.toEmpty(closed))).isFalse();
            assertThat(table.transition(3, Transition.FIRST_TOUCH, word, PageWord.toHost(word))).as("as it was").isTrue();
        }
    }

    /// Each of many blocks is closed at once, while others change words of it for the first time: each word is theirs or without a region.
    @Test
    void closingMeetsTheFirstChange() throws InterruptedException {
        PageSize size = PageSize.DEFAULT;
        int pages = size.pagesPerBlock();
        int blocks = 5000;
        try (PageTable table = new PageTable((long) blocks * pages, size)) {
            AtomicIntegerArray changed = new AtomicIntegerArray(blocks * pages);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                SplittableRandom random = new SplittableRandom(i);
                threads.add(Thread.ofPlatform().start(() -> {
                    for (int block = 0; block < blocks; block++) {
                        int page = block * pages + random.nextInt(pages);
                        long word = table.word(page);
                        if (PageWord.state(word) == PageState.EMPTY && table.transition(page, Transition.FIRST_TOUCH, word, PageWord.toHost(word))) {
                            changed.set(page, 1);
                        }
                    }
                }));
            }
            int whole = 0;
            for (int block = 0; block < blocks; block++) {
                long first = (long) block * pages;
                whole += table.setBlock(first, first + pages, PageWord.unwrittenWithoutRegion()) > first ? 1 : 0;
                if (block % 3 == 0) {
                    table.writeOut(first);
                }
            }
            for (Thread thread : threads) {
                thread.join();
            }
            int closed = 0;
            for (int page = 0; page < blocks * pages; page++) {
                PageState state = table.state(page);
                assertThat(state == PageState.HOST).as("page %d, %s", page, state).isEqualTo(changed.get(page) == 1);
                closed += state == PageState.UNMAPPED ? 1 : 0;
            }
            assertThat(closed).isEqualTo(whole * pages);
        }
    }

    /// Rights are what each device is asked for one by one.
    @Test
    void rightsAreThoseOfAllDevices() {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 100_000; i++) {
            long word = random.nextLong() & (i % 2 == 0 ? -1L : ~(0xffffL << 27 | 3L << 25)); // half of them without pins and protection
            if ((word & 0xf) >= PageState.values().length) {
                continue;
            }
            for (int device = 0; device < PageWord.MAX_DEVICES; device++) {
                boolean reads = PageWord.isReadableOn(word, device) && PageWord.isReadable(word) && !PageWord.isPinnedAgainst(word, false);
                boolean writes = PageWord.isOwnedBy(word, device) && PageWord.isWritable(word) && !PageWord.isPinnedAgainst(word, true);
                assertThat((PageWord.rights(word) >>> device & 1) != 0).as(PageWord.describe(word)).isEqualTo(reads);
                assertThat((PageWord.rights(word) >>> (16 + device) & 1) != 0).as(PageWord.describe(word)).isEqualTo(writes);
            }
        }
    }

    /// While two threads take pages from a device and give them back: a count that is as it was before all words were looked at says that no page is away.
    @Test
    @Timeout(60)
    void aCountThatStandsIsNeverWrong() throws InterruptedException {
        int pages = 8;
        try (PageTable table = new PageTable(pages, PageSize.of(256 << 10))) {
            AtomicIntegerArray turns = new AtomicIntegerArray(pages); // odd while the page is away
            for (int page = 0; page < pages; page++) {
                long word = table.word(page);
                assertThat(table.transition(page, Transition.CLAIM_FOR_DEVICE, word, PageWord.toClaimedForDevice(word, 0, true))).isTrue();
                assertThat(table.settle(page, Transition.COMMIT_DEVICE, table.word(page), claim -> PageWord.toDevice(claim, 0))).isTrue();
            }
            AtomicBoolean stop = new AtomicBoolean();
            List<Thread> takers = new ArrayList<>();
            for (int taker = 0; taker < 2; taker++) {
                int own = taker;
                takers.add(Thread.ofPlatform().start(() -> {
                    SplittableRandom random = new SplittableRandom(own);
                    while (!stop.get()) {
                        takeAndGiveBack(table, random.nextInt(pages / 2) * 2 + own, turns, random.nextInt(100));
                        pause(random.nextInt(400));
                    }
                }));
            }
            int stood = 0;
            int wrong = 0;
            for (int looks = 0; stood == 0 || (looks < 2_000_000 && (looks < 200_000 || stood < 1000)); looks++) { // where there is one processor, a page may be away for as long as another thread has its turn
                long before = table.changes(0);
                boolean all = (before & 0xffff) == 0;
                for (int page = 0; page < pages && all; page++) {
                    all = PageWord.isOwnedBy(table.word(page), 0);
                }
                int page = looks % pages;
                int turn = turns.get(page);
                if (all && table.changes(0) == before && turns.get(page) == turn) {
                    stood++;
                    wrong += turn & 1;
                }
            }
            stop.set(true);
            for (Thread taker : takers) {
                taker.join();
            }
            assertThat(wrong).isZero();
            assertThat(stood).isPositive();
        }
    }

    private static void pause(int turns) {
        for (int i = 0; i < turns; i++) {
            Thread.onSpinWait();
        }
    }

    private static void takeAndGiveBack(PageTable table, int page, AtomicIntegerArray turns, int pause) {
        long owned = table.word(page);
        long claim = PageWord.toClaimedForHost(owned, true);
        if (table.transition(page, Transition.CLAIM_FOR_HOST, owned, claim)) {
            turns.incrementAndGet(page);
            pause(pause);
            turns.incrementAndGet(page);
            table.transition(page, Transition.RESTORE, claim, PageWord.toDevice(claim, 0));
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
