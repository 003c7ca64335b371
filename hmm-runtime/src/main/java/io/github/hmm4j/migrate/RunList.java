package io.github.hmm4j.migrate;

import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.space.PageRange;
import java.util.ArrayList;
import java.util.List;

/// Collects pages into copies that are as long as they can be: contiguous on the host and on the device. Used by one thread.
final class RunList {

    private final ManagedPages heap;
    private final DeviceMirror mirror;
    private final List<CopyRun> runs = new ArrayList<>();
    private final List<PageRange> ranges = new ArrayList<>(); // of the runs
    private long firstPage = -1;
    private int firstFrame;
    private int count;
    private long totalPages;

    RunList(ManagedPages heap, DeviceMirror mirror) {
        this.heap = heap;
        this.mirror = mirror;
    }

    /// Adds a page behind those added before.
    void add(long page) {
        int frame = mirror.frameOf(page);
        boolean continues = count > 0 && page == firstPage + count && frame == firstFrame + count
                && mirror.memory().isOnePiece(firstFrame, frame);
        if (!continues) {
            flush();
            firstPage = page;
            firstFrame = frame;
        }
        count++;
        totalPages++;
    }

    /// All runs; nothing can be added afterwards.
    List<CopyRun> finish() {
        flush();
        return runs;
    }

    /// The pages of all runs. Call after [#finish].
    List<PageRange> ranges() {
        return ranges;
    }

    long totalBytes() {
        return heap.space().pageSize().bytesFor(totalPages);
    }

    long totalPages() {
        return totalPages;
    }

    private void flush() {
        if (count > 0) {
            runs.add(new CopyRun(heap.space().host().addressOf(firstPage), mirror.memory().memoryOf(firstFrame),
                    mirror.memory().offsetOf(firstFrame), heap.space().pageSize().bytesFor(count)));
            ranges.add(new PageRange(firstPage, firstPage + count));
            count = 0;
        }
    }
}
