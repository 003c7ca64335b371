package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.mirror.InFlight;
import io.github.hmm4j.space.PageRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Launches in flight, kept by native code, where the fault path sees them.
public final class NativeInFlight implements InFlight {

    private static final long ANY_DEVICE = -1;

    private final long pager;

    public NativeInFlight(NativePager pager) {
        this.pager = pager.handle();
    }

    @Override
    public void awaitConflicts(PageRange range, boolean writersOnly) {
        PagerCalls.await(pager, ANY_DEVICE, range.first(), range.end(), writersOnly);
    }

    @Override
    public void awaitUsesOn(int device, PageRange range) {
        PagerCalls.await(pager, device, range.first(), range.end(), false);
    }

    @Override
    public List<PageRange> usedOn(int device) {
        long capacity = 64;
        while (true) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment uses = arena.allocate(JAVA_LONG, capacity * PagerCalls.USE_WORDS);
                long count = PagerCalls.used(pager, device, uses, capacity);
                if (count <= capacity) {
                    return ranges(uses, count);
                }
                capacity = 2 * count;
            }
        }
    }

    private static List<PageRange> ranges(MemorySegment uses, long count) {
        List<PageRange> ranges = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            long at = i * PagerCalls.USE_WORDS;
            ranges.add(new PageRange(uses.getAtIndex(JAVA_LONG, at), uses.getAtIndex(JAVA_LONG, at + 1)));
        }
        return ranges;
    }

    @Override
    public long launchedOn(int device) {
        return PagerCalls.launched(pager, device);
    }

    @Override
    public void awaitAll() {
        PagerCalls.awaitAll(pager);
    }
}
