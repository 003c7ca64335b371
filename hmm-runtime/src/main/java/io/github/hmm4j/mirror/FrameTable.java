package io.github.hmm4j.mirror;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.space.LazyTable;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Parts;
import java.lang.invoke.VarHandle;

/// A device's page table: which frame stands for which page, both ways, off-heap: 4 bytes for each page and 12 for each frame that was ever used.
///
/// An assigned frame says nothing about validity: the page word does. Threads: one writer at a time (the mirror's lock), any readers.
final class FrameTable implements AutoCloseable {

    /// Neither a page nor a frame.
    static final int NONE = -1;

    private static final VarHandle INT = JAVA_INT.varHandle();

    private final LazyTable frameOfPage; // frame + 1
    private final LazyTable pageOfFrame; // page + 1, for which 31 bits are enough: AddressSpace has no more
    private final LazyTable regionOfFrame; // whose bytes the frame last held
    private final LazyTable lastUseOfFrame; // clock of the last launch

    FrameTable(long pageCount, int frameCount) {
        Parts parts = new Parts();
        try {
            frameOfPage = parts.add(new LazyTable(pageCount * Integer.BYTES));
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
    }

    /// Takes a page's frame away and returns it, or [#NONE].
    int unassign(long page) {
        int frame = frameOf(page);
        if (frame != NONE) {
            INT.setRelease(frameOfPage.segment(), page * Integer.BYTES, 0);
            INT.setRelease(pageOfFrame.segment(), (long) frame * Integer.BYTES, 0);
            setRegion(frame, 0); // its memory may go back to the device meanwhile, and come back with anybody's bytes
        }
        return frame;
    }

    /// Whether all pages have frames, one behind the other.
    boolean isContiguous(PageRange pages, HeldBlocks held) {
        int first = frameOf(pages.first());
        if (first == NONE) {
            return false;
        }
        long page = pages.first();
        while (page < pages.end()) {
            if (frameOf(page) != first + (page - pages.first())) {
                return false;
            }
            page = Math.max(page + 1, held.endInOnePiece(page, pages.end()));
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
    }
}
