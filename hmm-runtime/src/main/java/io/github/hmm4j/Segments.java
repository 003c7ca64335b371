package io.github.hmm4j;

import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.space.VaRange;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What a segment that the program passes stands for: the allocation that it is of, and never another that has come to lie at its addresses since.
///
/// Slices, read-only ones, and those of another size (`reinterpret(long)`) have the scope of what they were made from, and go with it. A segment that the program has made of an address
/// (`MemorySegment.ofAddress`), or given a scope of its own (`reinterpret(Arena, ...)`), is an address, and stands for what lies there.
final class Segments {

    private Segments() {}

    /// The addresses of a segment within one allocation.
    ///
    /// @throws IllegalArgumentException if it is something else, or freed
    /// @throws IllegalStateException    if its arena is closed
    static VaRange rangeOf(AddressSpace space, MemorySegment segment) {
        regionOf(space, segment);
        return addressesOf(segment);
    }

    /// The allocation that a segment lies in, or a part of it; throws as [#rangeOf] does.
    static Region regionOf(AddressSpace space, MemorySegment segment) {
        requireManaged(space, segment);
        try {
            Region region = space.regionOf(addressesOf(segment));
            requireOf(space, region, segment);
            return region;
        } catch (IllegalArgumentException e) {
            requireCurrent(space, segment);
            throw e;
        }
    }

    static VaRange addressesOf(MemorySegment segment) {
        return VaRange.ofLength(segment.address(), segment.byteSize());
    }

    /// That a segment is memory of the heap.
    ///
    /// @throws IllegalArgumentException if it is something else
    static void requireManaged(AddressSpace space, MemorySegment segment) {
        Objects.requireNonNull(segment, "segment");
        if (segment.isNative() && segment.address() == 0) {
            throw new IllegalArgumentException("this segment is null, address=0: allocate memory for it (heap.allocate, heap.allocateFrom), or leave it out");
        }
        if (!segment.isNative() || !space.contains(segment.address())) {
            throw new IllegalArgumentException(
                    "this memory is not of this heap, allocate it there (heap.allocate, heap.allocateFrom): " + segment);
        }
    }

    /// Whoever has looked a segment up and then holds what keeps its pages looks again: if it was freed in between, the addresses may be somebody else's by now.
    ///
    /// @throws IllegalArgumentException if it was freed, or has moved
    /// @throws IllegalStateException    if its arena is closed
    static void requireCurrent(AddressSpace space, MemorySegment segment) {
        requireOf(space, space.regionAt(segment.address()).orElse(null), segment);
    }

    /// Whether it is what it was when it was allocated.
    static boolean isCurrent(AddressSpace space, MemorySegment segment) {
        Region region = space.regionAt(segment.address()).orElse(null);
        return !isGone(space, region, segment);
    }

    private static boolean isGone(AddressSpace space, @Nullable Region region, MemorySegment segment) {
        return !segment.scope().isAlive() || (!isOf(region, segment) && space.knows(segment.scope()));
    }

    private static boolean isOf(@Nullable Region region, MemorySegment segment) {
        return region != null && region.has(segment) && segment.address() + segment.byteSize() <= region.range().endBytes();
    }

    private static void requireOf(AddressSpace space, @Nullable Region region, MemorySegment segment) {
        if (!isGone(space, region, segment)) {
            return;
        }
        if (space.isArena(segment.scope()) || !space.knows(segment.scope()) || isOf(region, segment)) { // the last: all of the heap is closed
            throw new IllegalStateException("the arena of this memory is closed, the memory is freed: " + segment);
        }
        VaRange range = addressesOf(segment);
        if (region != null && region.has(segment)) {
            throw new IllegalArgumentException("range=" + range + " is not within one managed region: it reaches beyond its allocation, or a part of it was freed, region=" + region.range());
        }
        throw new IllegalArgumentException("range=" + range + " is not within one managed region any more: it was freed, or has moved"
                + (region == null ? "" : ", and region=" + region.range() + " lies there now"));
    }

    /// What fails because the segment was freed meanwhile is told as that.
    ///
    /// @throws IllegalArgumentException if it was freed, or has moved
    /// @throws IllegalStateException    if its arena was closed
    static <T> T using(AddressSpace space, MemorySegment segment, Supplier<T> work) {
        try {
            return work.get();
        } catch (IllegalArgumentException | AccessViolationException e) {
            requireCurrent(space, segment);
            throw e;
        }
    }

    /// The same; nothing is made for it once the work is done.
    static void use(AddressSpace space, MemorySegment segment, Runnable work) {
        try {
            work.run();
        } catch (IllegalArgumentException | AccessViolationException e) {
            requireCurrent(space, segment);
            throw e;
        }
    }
}
