package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// The pages of a region on their way to another address ([RegionChanges#move]): prepared, taken from where they were, and settled or put back.
///
/// All that can fail comes first, while the old words can still be put back. Used by one thread, which holds all devices' locks and the host lock exclusively.
final class RegionMove {

    private final ManagedPages heap;
    private final AddressSpace space;
    private final PageTable table;
    private final HostSide hostSide;
    private final RegionWords words;
    private final PageRange from;
    private final PageRange to;
    private final Backoff backoff = new Backoff();
    private final long[] taken; // what the words of the old pages said, of so many as were taken
    private int count;

    RegionMove(ManagedPages heap, HostSide hostSide, RegionWords words, PageRange from, PageRange to) {
        this.heap = heap;
        this.space = heap.space();
        this.table = heap.table();
        this.hostSide = hostSide;
        this.words = words;
        this.from = from;
        this.to = to;
        taken = new long[Math.toIntExact(from.count())];
    }

    /// What needs memory, or a device, before anything has changed: from then on it would be too late for an error.
    void prepare() {
        bringHomeWhatCannotBeReKeyed();
        giveHostMemory();
    }

    /// Nobody has heard of the new pages, but a fault next door may still reach for them, if it looked there before they were a region.
    void closeTarget() {
        words.unmap(to, backoff);
        hostSide.forbid(to, false);
    }

    /// Closes the old pages to everybody and takes their contents. If this throws they are to be [put back][#putBack].
    void take() {
        while (count < taken.length) {
            long page = from.first() + count;
            long word = table.wordByBlock(page); // where all of the block is unmapped at once it was never written, and only we change what it says
            int next = Math.toIntExact(words.unmapBlock(page, from.end()) - from.first());
            if (next > count) {
                Arrays.fill(taken, count, next, word);
                count = next;
            } else {
                taken[count] = unmapMovable(page);
                count++;
            }
        }
        hostSide.forbid(from, false); // before contents are taken
        heap.inFlight().awaitConflicts(from, false);
        copyHostPages();
    }

    void putBack() {
        for (int i = 0; i < count; ) {
            int next = moveBlockIn(from.first(), i, count);
            if (next == i) {
                moveIn(from.first() + i, taken[i], taken[i]);
                next = i + 1;
            }
            i = next;
        }
    }

    /// They are the pages of a region again, and can be touched. Nothing fails from here on but the operating system.
    void settle(int regionId) {
        for (int i = 0; i < taken.length; i++) {
            int blockEnd = moveBlockIn(to.first(), i, taken.length);
            if (blockEnd > i) {
                i = blockEnd - 1;
                continue;
            }
            long word = taken[i];
            switch (PageWord.state(word)) {
                case DEVICE -> {
                    reKey(from.first() + i, to.first() + i, PageWord.device(word), regionId);
                    moveIn(to.first() + i, word, word);
                }
                case SHARED, TO_DEVICE -> moveIn(to.first() + i, PageWord.toHost(word), word); // the copies on devices go with the old addresses
                default -> moveIn(to.first() + i, word, word);
            }
        }
        hostSide.setAccess(to, Protection.READ_WRITE); // a touch of the new addresses was an error; the pages are mapped as they may be when they are touched
    }

    /// A kernel that faults may have taken a page again, which cannot stay where it is.
    private long unmapMovable(long page) {
        while (true) {
            long word = words.unclaimedForHost(page, backoff);
            if (isTiedToAddress(word)) {
                hostSide.fetch(new PageRange(page, page + 1), HostSide.Access.BRING_HOME, Cause.MOVE);
            } else if (table.transition(page, Transition.UNMAP, word, PageWord.toUnmapped(word))) {
                return word;
            }
        }
    }

    private void copyHostPages() {
        long pageBytes = space.pageSize().bytes();
        MemorySegment alias = space.host().alias();
        for (int i = 0; i < taken.length; ) {
            int end = i;
            while (end < taken.length && isOnHost(PageWord.state(taken[end]))) {
                end++;
            }
            MemorySegment.copy(alias, space.pageSize().offsetOf(from.first() + i), alias, space.pageSize().offsetOf(to.first() + i), (end - i) * pageBytes);
            i = end + 1;
        }
    }

    /// The block that begins with page `i` from `first` on, if none of its pages was ever written, here or where they were. Returns its end, or `i`.
    private int moveBlockIn(long first, int i, int end) {
        long word = taken[i];
        boolean untouched = word == PageWord.ofKind(word);
        int alike = i;
        while (untouched && alike < end && taken[alike] == word && (alike == i || !table.isFirstOfBlock(first + alike))) {
            alike++;
        }
        return Math.toIntExact(table.setBlock(first + i, first + alike, word) - first);
    }

    /// @param like       whose state the page gets; a claim counts as what it was before
    /// @param protection of this word
    private void moveIn(long page, long like, long protection) {
        long word = table.word(page); // nobody else changes it
        long next = switch (PageWord.state(like)) {
            case HOST -> PageWord.toHost(word);
            case SHARED, TO_DEVICE -> PageWord.toShared(word, PageWord.sharers(like));
            case DEVICE -> PageWord.toDevice(word, PageWord.device(like));
            case PEERS -> PageWord.toPeers(word, PageWord.sharers(like));
            case POISONED -> PageWord.toPoisoned(word);
            case EMPTY, TO_HOST, UNMAPPED -> PageWord.toEmpty(word);
        };
        boolean moved = table.transition(page, Transition.MOVE_IN, word, PageWord.withProtection(next, PageWord.protection(protection)));
        assert moved : "somebody changed the word of page " + page;
    }

    private void bringHomeWhatCannotBeReKeyed() {
        for (long page = table.writtenFrom(from.first(), from.end()); page < from.end(); ) {
            long end = page;
            while (end < from.end() && isTiedToAddress(table.wordByBlock(end))) {
                end++;
            }
            if (end > page) {
                hostSide.fetch(new PageRange(page, end), HostSide.Access.BRING_HOME, Cause.MOVE);
            }
            page = table.writtenFrom(Math.max(end, page + 1), from.end());
        }
    }

    private boolean isTiedToAddress(long word) {
        return switch (PageWord.state(word)) {
            case DEVICE -> heap.mirror(PageWord.device(word)).isAperture();
            case PEERS -> true; // one frame can get another page, not several at once
            default -> false;
        };
    }

    /// To what is going to be copied.
    private void giveHostMemory() {
        long moved = to.first() - from.first();
        for (long page = table.writtenFrom(from.first(), from.end()); page < from.end(); ) {
            long end = page;
            while (end < from.end() && isOnHost(PageWord.state(table.wordByBlock(end)))) {
                end++;
            }
            if (end > page) {
                space.host().give(new PageRange(page, end));
                space.host().give(new PageRange(page + moved, end + moved));
            }
            page = table.writtenFrom(end + 1, from.end());
        }
    }

    private static boolean isOnHost(PageState state) {
        return state == PageState.HOST || state == PageState.SHARED || state == PageState.TO_DEVICE;
    }

    private void reKey(long oldPage, long newPage, int device, int regionId) {
        DeviceMirror mirror = heap.mirror(device);
        int frame = mirror.unassign(oldPage);
        mirror.assign(newPage, frame);
        mirror.setRegion(frame, regionId);
    }
}
