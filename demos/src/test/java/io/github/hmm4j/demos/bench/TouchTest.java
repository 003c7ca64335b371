package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TouchTest {
    private static final int PAGES = 37;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment segment = arena.allocate((long) PAGES * Touch.ENTRY_BYTES);
    private final int[] order = Touch.shuffled(PAGES, new SplittableRandom(3));
    private final long[] nanos = new long[PAGES];

    @AfterEach
    void close() {
        arena.close();
    }

    @Test
    void anOrderHasEachPageOnce() {
        assertThat(order).containsExactlyInAnyOrder(IntStream.range(0, PAGES).toArray()).isNotEqualTo(IntStream.range(0, PAGES).toArray());
    }

    @Test
    void aCycleGoesThroughAllPages() {
        int[] next = Touch.cycle(order);
        assertThat(IntStream.iterate(0, page -> next[page]).limit(PAGES).distinct().count()).isEqualTo(PAGES);
        assertThat(IntStream.iterate(0, page -> next[page]).limit(PAGES + 1L).max().orElseThrow()).isEqualTo(PAGES - 1);
    }

    @Test
    void readsFindAWrongByte() {
        Touch.fill(segment);
        Touch.read(segment, Touch.ENTRY_BYTES, order, 0, PAGES, nanos);
        Touch.follow(segment, Touch.ENTRY_BYTES, Touch.cycle(order), nanos);
        long offset = 5L * Touch.ENTRY_BYTES;
        segment.set(JAVA_BYTE, offset, (byte) ~segment.get(JAVA_BYTE, offset));
        assertThatThrownBy(() -> Touch.read(segment, Touch.ENTRY_BYTES, order, 0, PAGES, nanos)).hasMessageContaining("offset=" + offset);
        assertThatThrownBy(() -> Touch.follow(segment, Touch.ENTRY_BYTES, Touch.cycle(order), nanos)).hasMessageContaining("offset=" + offset);
    }

    @Test
    void pagesThatWereExchangedAreFound() {
        Touch.fill(segment);
        MemorySegment third = segment.asSlice(3L * Touch.ENTRY_BYTES, Touch.ENTRY_BYTES);
        third.copyFrom(segment.asSlice(4L * Touch.ENTRY_BYTES, Touch.ENTRY_BYTES));
        assertThatThrownBy(() -> Touch.read(segment, Touch.ENTRY_BYTES, order, 0, PAGES, nanos)).hasMessageContaining("offset=" + 3 * Touch.ENTRY_BYTES);
        assertThatThrownBy(() -> Touch.requireSum(Touch.sum(segment), Touch.expectedSum(segment.byteSize()))).hasMessageContaining("wrong bytes");
    }

    @Test
    void writesLeaveWhatReadsLookAt() {
        Touch.fill(segment);
        Touch.write(segment, Touch.ENTRY_BYTES, order, 0, PAGES, (byte) 77, nanos);
        Touch.requireWritten(segment, Touch.ENTRY_BYTES, order, 0, PAGES, (byte) 77);
        Touch.read(segment, Touch.ENTRY_BYTES, order, 0, PAGES, nanos);
        assertThatThrownBy(() -> Touch.requireWritten(segment, Touch.ENTRY_BYTES, order, 0, PAGES, (byte) 78)).hasMessageContaining("found=77");
    }

    @Test
    void entriesThatWereNotWrittenAreFound() {
        Touch.writeEntries(segment);
        Touch.requireEntries(segment);
        segment.set(JAVA_LONG, 2L * Touch.ENTRY_BYTES, 0);
        assertThatThrownBy(() -> Touch.requireEntries(segment)).hasMessageContaining("offset=" + 2 * Touch.ENTRY_BYTES);
    }
}
