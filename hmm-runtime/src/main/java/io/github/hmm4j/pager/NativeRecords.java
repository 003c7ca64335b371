package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.error.SystemCallFailedException;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.timeline.BatchEvent;
import io.github.hmm4j.timeline.FaultEvent;
import io.github.hmm4j.timeline.ServedEvent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Brings records of what native code has served to a heap's timeline.
///
/// Who serves a fault writes its record into a ring of the native part and goes on; no Java code runs there. So somebody has to look from time to time, more often than the
/// ring takes to fill: 8,192 records, which the fastest faults measured need 130 ms for. Used by one thread at a time, until the native part is closed.
public final class NativeRecords implements AutoCloseable {

    private static final int AT_ONCE = 512;
    private static final long RECORD_BYTES = (long) PagerCalls.RECORD_WORDS * Long.BYTES;

    /// In the order of `enum hmm_record_kind`.
    private enum Kind { FAULT, AHEAD, FETCH, INSIST }

    private static final Kind[] KINDS = Kind.values();
    private static final PageState[] STATES = PageState.values();

    private final long pager;
    private final ManagedPages heap;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment records = arena.allocate(RECORD_BYTES * AT_ONCE, Long.BYTES);
    private final MemorySegment lost = arena.allocate(JAVA_LONG);

    public NativeRecords(NativePager pager, ManagedPages heap) {
        this.pager = pager.handle();
        this.heap = heap;
    }

    /// From now on native code keeps records, or does not.
    public void keep(boolean on) {
        int result = PagerCalls.record(pager, on);
        if (result != 0) {
            throw new SystemCallFailedException("memory allocation", -result, "records of faults");
        }
    }

    /// Tells of all that was served since the last call.
    public void drain() {
        long count;
        do {
            lost.set(JAVA_LONG, 0, 0);
            count = PagerCalls.takeRecords(pager, records, AT_ONCE, lost);
            for (long i = 0; i < count; i++) {
                tell(records.asSlice(i * RECORD_BYTES, RECORD_BYTES));
            }
            long missing = lost.get(JAVA_LONG, 0);
            if (missing > 0) {
                heap.timeline().lost(missing);
            }
        } while (count == AT_ONCE);
    }

    /// The words are those of `struct hmm_record`.
    private void tell(MemorySegment record) {
        Kind kind = KINDS[(int) word(record, 0)];
        ServedEvent event = switch (kind) {
            case FAULT, AHEAD -> {
                FaultEvent fault = new FaultEvent();
                fault.of(kind == Kind.AHEAD, word(record, 10) != 0, STATES[(int) word(record, 11)].name(), word(record, 13));
                yield fault;
            }
            case FETCH, INSIST -> {
                BatchEvent batch = new BatchEvent();
                batch.of(kind == Kind.INSIST);
                yield batch;
            }
        };
        event.pages(word(record, 1), word(record, 2), heap.space().addressOf(word(record, 1)));
        event.copied((int) word(record, 14), word(record, 12), heap.space().pageSize().bytesFor(word(record, 12)));
        event.steps(word(record, 3), word(record, 4), word(record, 5), word(record, 6), word(record, 7), word(record, 8));
        event.ended(word(record, 9), word(record, 15));
        heap.timeline().happened(event, word(record, 3), word(record, 8));
    }

    private static long word(MemorySegment record, int index) {
        return record.getAtIndex(JAVA_LONG, index);
    }

    /// Tells of all that is still to be told, and ends. No launch may be in flight. To be called once.
    @Override
    public void close() {
        PagerCalls.endRecords(pager);
        drain();
        arena.close();
    }
}
