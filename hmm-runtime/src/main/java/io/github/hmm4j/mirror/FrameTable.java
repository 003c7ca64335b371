package io.github.hmm4j.mirror;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.space.LazyTable;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Parts;
import java.lang.invoke.VarHandle;

/// A device's page table: which frame stands for which page, both ways, off-heap: 4 bytes for each page and 12 for each frame that was ever used, and one for each 2 MiB.
///
/// An assigned frame says nothing about validity: the page word does. Threads: one writer at a time (who has the mirror's lock alone), any readers.
final class FrameTable implements AutoCloseable {

    /// Neither a page nor a frame.
    static final int NONE = -1;

    private static final VarHandle INT = JAVA_INT.varHandle();
    private static final byte INSIDE = 1; // of a block: its frames lie one behind the other
    private static final byte JOINED = 2; // and the frame of the page behind it behind these

    private final LazyTable frameOfPage; // frame + 1
    private final LazyTable pageOfFrame; // page + 1, for which 31 bits are enough: AddressSpace has no more
    private final LazyTable regionOfFrame; // whose bytes the frame last held
    private final LazyTable lastUseOfFrame; // clock of the last launch
    private final LazyTable pieces; // by block of pages: what was found of its frames since one of them changed
    private final PageTable table;

    FrameTable(PageTable table, int frameCount) {
        this.table = table;
        Parts parts = new Parts();
        try {
            frameOfPage = parts.add(new LazyTable(table.pageCount() * Integer.BYTES));
            pieces = parts.add(new LazyTable(table.blockOf(table.pageCount() - 1) + 1));
            pageOfFrame = parts.add(new LazyTable((long) frameCount * Integer.BYTES));
            regionOfFrame = parts.add(new LazyTable((long) frameCount * Integer.BYTES));
            lastUseOfFrame = parts.add(new LazyTable((long) frameCount * Integer.BYTES));
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    int frameOf(long page) {
        return (int) INT.getAcquire(frameOfPage.segment(), page * Integer.BYTES) - 1;
    }

    long pageOf(int frame) {
        return (int) INT.getAcquire(pageOfFrame.segment(), (long) frame * Integer.BYTES) - 1L;
    }

    void assign(long page, int frame) {
        INT.setRelease(pageOfFrame.segment(), (long) frame * Integer.BYTES, (int) page + 1);
        INT.setRelease(frameOfPage.segment(), page * Integer.BYTES, frame + 1);
        changed(page);
    }

    /// Takes a page's frame away and returns it, or [#NONE].
    int unassign(long page) {
        int frame = frameOf(page);
        if (frame != NONE) {
            INT.setRelease(frameOfPage.segment(), page * Integer.BYTES, 0);
            INT.setRelease(pageOfFrame.segment(), (long) frame * Integer.BYTES, 0);
            setRegion(frame, 0); // its memory may go back to the device meanwhile, and come back with anybody's bytes
            changed(page);
        }
        return frame;
    }

    /// Pages are about to have other frames.
    void changed(PageRange pages) {
        for (long page = pages.first(); page < pages.end(); page = table.firstOf(table.blockOf(page) + 1)) {
            changed(page);
        }
    }

    /// A page has another frame, or none.
    private void changed(long page) {
        pieces.segment().set(JAVA_BYTE, table.blockOf(page), (byte) 0);
        if (table.isFirstOfBlock(page) && page > 0) {
            pieces.segment().set(JAVA_BYTE, table.blockOf(page) - 1, (byte) 0);
        }
    }

    /// Whether all pages have frames, one behind the other. Notes what it finds of whole blocks: the next who asks looks no closer, until a frame changes.
    /// Whoever asks has the mirror's lock, alone or shared, so none does meanwhile; two who note the same block have found the same, or one of them less.
    boolean isContiguous(PageRange pages) {
        if (frameOf(pages.first()) == NONE) {
            return false;
        }
        long last = pages.end() - 1;
        for (long page = pages.first(); page < last; ) { // whether the next page's frame is the next
            long block = table.blockOf(page);
            long next = table.firstOf(block + 1);
            int whole = page > table.firstOf(block) || next > pages.end() ? 0 : next <= last ? INSIDE | JOINED : INSIDE;
            if (whole == 0 || (pieces.segment().get(JAVA_BYTE, block) & whole) != whole) {
                for (int frame = frameOf(page); page < Math.min(next, last); page++) {
                    frame++;
                    if (frameOf(page + 1) != frame) {
                        return false;
                    }
                }
                if (whole != 0) {
                    pieces.segment().set(JAVA_BYTE, block, (byte) whole);
                }
            }
            page = next;
        }
        return true;
    }

    int regionOf(int frame) {
        return (int) INT.getAcquire(regionOfFrame.segment(), (long) frame * Integer.BYTES);
    }

    void setRegion(int frame, int regionId) {
        INT.setRelease(regionOfFrame.segment(), (long) frame * Integer.BYTES, regionId);
    }

    int lastUse(int frame) {
        return (int) INT.getOpaque(lastUseOfFrame.segment(), (long) frame * Integer.BYTES);
    }

    void setLastUse(int frame, int clock) {
        INT.setOpaque(lastUseOfFrame.segment(), (long) frame * Integer.BYTES, clock);
    }

    DeviceMirror.NativeTables addresses(HeldBlocks held) {
        return new DeviceMirror.NativeTables(frameOfPage.segment().address(), pageOfFrame.segment().address(),
                regionOfFrame.segment().address(), lastUseOfFrame.segment().address(), held.heldAddressBytes(),
                held.lastUseAddressBytes());
    }

    @Override
    public void close() {
        frameOfPage.close();
        pageOfFrame.close();
        regionOfFrame.close();
        lastUseOfFrame.close();
        pieces.close();
    }
}
