package io.github.hmm4j.space;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A piece of the address space that the program allocated: what the kernel calls a VMA.
///
/// @param id    positive, not used again for two thousand million allocations; tells frames of this region from those of another that had the address before
/// @param range page-aligned addresses
/// @param data  what the program asked for, within `range`: it may begin behind the start of the first page ([Coloring]) and end before the end of the last one
/// @param generation what its segments have in common; null in a space that has none
/// @param advice where kernels are to use it
public record Region(int id, VaRange range, VaRange data, @Nullable Generation generation, PlacementAdvice advice) {

    /// Whether somebody else than the program frees it: an arena.
    public boolean owned() {
        return generation != null && generation.owned();
    }

    /// Whether a segment is one of its allocation's, and not of one that had the address before.
    public boolean has(MemorySegment segment) {
        return generation != null && generation.scope().equals(segment.scope());
    }

    /// Another range of the same allocation.
    Region part(int partId, VaRange pages) {
        return new Region(partId, pages, dataIn(pages), generation, advice);
    }

    /// The same range with those pages made whole of which nothing else belongs to the program: the first page where the data begins with the range, the last where it ends with it.
    public VaRange widened(VaRange part) {
        return new VaRange(part.startBytes() <= data.startBytes() ? range.startBytes() : part.startBytes(),
                part.endBytes() >= data.endBytes() ? range.endBytes() : part.endBytes());
    }

    /// What of its data lies in a part of its pages.
    VaRange dataIn(VaRange part) {
        return new VaRange(Math.max(data.startBytes(), part.startBytes()), Math.min(data.endBytes(), part.endBytes()));
    }
}
