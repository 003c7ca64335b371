package io.github.hmm4j;

import io.github.hmm4j.pager.HostView;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.charset.Charset;

/// An allocator of managed memory, which fills what it allocates through views: with checked access nobody can touch
/// the segments themselves.
abstract class FillingAllocator implements SegmentAllocator {

    /// Opens what was just allocated, to be filled.
    abstract HostView toFill(MemorySegment segment);

    /// Takes back what was just allocated and could not be filled.
    abstract void giveUp(MemorySegment segment);

    /// Allocates an array and fills it, through a view.
    @Override
    public MemorySegment allocateFrom(
            ValueLayout elementLayout, MemorySegment source, ValueLayout sourceElementLayout, long sourceOffset, long elementCount) {
        MemorySegment segment = allocate(elementLayout, elementCount);
        if (elementCount > 0) {
            try (HostView view = toFill(segment)) {
                MemorySegment.copy(source, sourceElementLayout, sourceOffset, view.segment(), elementLayout, 0, elementCount);
            } catch (RuntimeException | Error e) {
                giveUp(segment);
                throw e;
            }
        }
        return segment;
    }

    @Override
    public MemorySegment allocateFrom(String text, Charset charset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(text, charset);
            return allocateFrom(ValueLayout.JAVA_BYTE, bytes, ValueLayout.JAVA_BYTE, 0, bytes.byteSize());
        }
    }

    @Override
    public MemorySegment allocateFrom(ValueLayout.OfByte layout, byte value) {
        return allocateFrom(layout, new byte[] {value});
    }

    @Override
    public MemorySegment allocateFrom(ValueLayout.OfChar layout, char value) {
        return allocateFrom(layout, new char[] {value});
    }

    @Override
    public MemorySegment allocateFrom(ValueLayout.OfShort layout, short value) {
        return allocateFrom(layout, new short[] {value});
    }

    @Override
    public MemorySegment allocateFrom(ValueLayout.OfInt layout, int value) {
        return allocateFrom(layout, new int[] {value});
    }

    @Override
    public MemorySegment allocateFrom(ValueLayout.OfLong layout, long value) {
        return allocateFrom(layout, new long[] {value});
    }

    @Override
    public MemorySegment allocateFrom(ValueLayout.OfFloat layout, float value) {
        return allocateFrom(layout, new float[] {value});
    }

    @Override
    public MemorySegment allocateFrom(ValueLayout.OfDouble layout, double value) {
        return allocateFrom(layout, new double[] {value});
    }

    @Override
    public MemorySegment allocateFrom(AddressLayout layout, MemorySegment value) {
        return allocateFrom(ValueLayout.JAVA_LONG.withOrder(layout.order()), value.address());
    }
}
