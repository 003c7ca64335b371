package io.github.hmm4j.mirror;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.space.LazyTable;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Parts;
import java.lang.invoke.VarHandle;

/// A device's page table: which frame stands for which page, both ways, off-heap: 4 bytes for each frame that was ever used, and next to nothing for each page, where frames lie side by side as their pages do
/// ([ExtentTable]); else 12 bytes more.
///
/// An assigned frame says nothing about validity: the page word does. Threads: one writer at a time (who has the mirror's lock alone), any readers.
final class FrameTable implements AutoCloseable {

    /// Neither a page nor a frame.
    static final int NONE = -1;

    private static final VarHandle INT = JAVA_INT.varHandle();

    private final ExtentTable frameOfPage; // frame + 1
    private final ExtentTable pageOfFrame; // page + 1, for which 31 bits are enough: AddressSpace has no more
    private final ExtentTable regionOfFrame; // whose bytes the frame last held
    private final LazyTable lastUseOfFrame; // clock of the last launch

    /// @param blockShift of the pages of 2 MiB, and of as many frames
    FrameTable(long pageCount, int frameCount, int blockShift) {
        Parts parts = new Parts();
        try {
            frameOfPage = parts.add(new ExtentTable(pageCount, 1, blockShift));
            pageOfFrame = parts.add(new ExtentTable(frameCount, 1, blockShift));
            regionOfFrame = parts.add(new ExtentTable(frameCount, 0, blockShift));
            lastUseOfFrame = parts.add(new LazyTable((long) frameCount * Integer.BYTES));
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    int frameOf(long page) {
        return frameOfPage.get(page) - 1;
    }

    long pageOf(int frame) {
        return pageOfFrame.get(frame) - 1L;
    }

    void assign(long page, int frame) {
        pageOfFrame.set(frame, (int) page + 1);
        frameOfPage.set(page, frame + 1);
    }

    /// Takes a page's frame away and returns it, or [#NONE].
    int unassign(long page) {
        int frame = frameOf(page);
        if (frame != NONE) {
            frameOfPage.set(page, 0);
            pageOfFrame.set(frame, 0);
            setRegion(frame, 0); // its memory may go back to the device meanwhile, and come back with anybody's bytes
        }
        return frame;
    }

    /// Whether all pages have frames, one behind the other. Whoever asks has the mirror's lock, alone or shared, so none of theirs changes meanwhile.
    boolean isContiguous(PageRange pages) {
        return frameOfPage.isOneExtent(pages.first(), pages.end());
    }

    int regionOf(int frame) {
        return regionOfFrame.get(frame);
    }

    void setRegion(int frame, int regionId) {
        regionOfFrame.set(frame, regionId);
    }

    int lastUse(int frame) {
        return (int) INT.getOpaque(lastUseOfFrame.segment(), (long) frame * Integer.BYTES);
    }

    void setLastUse(int frame, int clock) {
        INT.setOpaque(lastUseOfFrame.segment(), (long) frame * Integer.BYTES, clock);
    }

    DeviceMirror.NativeTables addresses(HeldBlocks held) {
        return new DeviceMirror.NativeTables(frameOfPage.addresses(), pageOfFrame.addresses(), regionOfFrame.addresses(),
                lastUseOfFrame.segment().address(), held.heldAddressBytes(), held.lastUseAddressBytes());
    }

    @Override
    public void close() {
        frameOfPage.close();
        pageOfFrame.close();
        regionOfFrame.close();
        lastUseOfFrame.close();
    }
}
