package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InFlight;
import io.github.hmm4j.space.PageRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Launches in flight, kept by native code, where the fault path sees them.
public final class NativeInFlight implements InFlight {

    private static final long ANY_DEVICE = -1;

    private static final long NAME_OFFSET = 4L * Long.BYTES; // in struct hmm_failed_launch

    private final long pager;
    private final List<DeviceMirror> mirrors;

    /// @param mirrors by device index
    public NativeInFlight(NativePager pager, List<DeviceMirror> mirrors) {
        this.pager = pager.handle();
        this.mirrors = List.copyOf(mirrors);
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
    public void noteEnds(PageRange range) {
        PagerCalls.noteEnds(pager, range.first(), range.end());
    }

    @Override
    public long launchedOn(int device) {
        return PagerCalls.launched(pager, device);
    }

    @Override
    public Optional<String> failureOf(long page) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment failed = arena.allocate(JAVA_LONG, PagerCalls.FAILED_LAUNCH_WORDS);
            if (!PagerCalls.failedLaunchOf(pager, page, failed)) {
                return Optional.empty();
            }
            int status = (int) failed.getAtIndex(JAVA_LONG, 2);
            return Optional.of(String.format(Locale.ROOT, "kernel=%s, status=%s(%d), device=%s",
                    failed.getString(NAME_OFFSET), ClStatus.name(status), status, mirrors.get((int) failed.getAtIndex(JAVA_LONG, 3)).deviceName()));
        }
    }

    @Override
    public void awaitAll() {
        PagerCalls.awaitAll(pager);
    }
}
