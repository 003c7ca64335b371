package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_CHAR;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/// A heap is a `SegmentAllocator`: whatever an allocator can fill, it fills through a view.
class AllocatorTest {

    @Test
    void fillsValuesArraysAndStrings() {
        try (Hmm hmm = Hmm.builder().hostOnly().heap(ByteSize.mib(4)).open()) {
            ManagedHeap heap = hmm.heap();
            requireThat(heap, heap.allocateFrom("héllo"), s -> s.getString(0), "héllo");
            requireThat(heap, heap.allocateFrom(JAVA_BYTE, (byte) 1), s -> s.get(JAVA_BYTE, 0), (byte) 1);
            requireThat(heap, heap.allocateFrom(JAVA_CHAR, 'x'), s -> s.get(JAVA_CHAR, 0), 'x');
            requireThat(heap, heap.allocateFrom(JAVA_SHORT, (short) 2), s -> s.get(JAVA_SHORT, 0), (short) 2);
            requireThat(heap, heap.allocateFrom(JAVA_INT, 3), s -> s.get(JAVA_INT, 0), 3);
            requireThat(heap, heap.allocateFrom(JAVA_LONG, 4L), s -> s.get(JAVA_LONG, 0), 4L);
            requireThat(heap, heap.allocateFrom(JAVA_FLOAT, 5f), s -> s.get(JAVA_FLOAT, 0), 5f);
            requireThat(heap, heap.allocateFrom(JAVA_DOUBLE, 6d), s -> s.get(JAVA_DOUBLE, 0), 6d);
            requireThat(heap, heap.allocateFrom(JAVA_INT, 7, 8, 9), s -> s.toArray(JAVA_INT), new int[] {7, 8, 9});
            MemorySegment target = heap.allocate(8);
            requireThat(heap, heap.allocateFrom(ADDRESS, target), s -> s.get(JAVA_LONG, 0), target.address());
        }
    }

    private static void requireThat(ManagedHeap heap, MemorySegment segment, Function<MemorySegment, Object> reader, Object expected) {
        try (HostView view = heap.view(segment, Access.READ)) {
            assertThat(reader.apply(view.segment())).isEqualTo(expected);
        }
    }
}
