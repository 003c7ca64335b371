package io.github.hmm4j;

import io.github.hmm4j.migrate.RegionChanges;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.Generation;
import io.github.hmm4j.space.Handles;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.VaRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Managed memory with an end of its own: regions that go together, the small allocations in pieces that they share,
/// one behind the other.
///
/// Its end, against whoever uses its memory: the scope ends first, then the words say that there is no region, then
/// launches in flight are waited for, then each device's lock has been taken once, and only then somebody else gets the
/// addresses. A launch or view that has looked a segment up asks for the scope once more when it holds what keeps the
/// pages ([Segments#requireCurrent]). So either that sees the end, or the end sees the launch or view.
///
/// Threads: any; those who allocate exclude each other.
final class HeapArena extends FillingAllocator implements Arena {

    private static final long FIRST_PIECE_BYTES = 64 << 10;
    private static final long LARGEST_PIECE_BYTES = 1 << 20;
    private static final int ALLOCATIONS_IN_A_PIECE = 4; // what is larger than such a part of one is a region of its own

    private final ManagedHeap heap;
    private final Lifetime lifetime;
    private final RegionChanges regions;
    private final AddressSpace space;
    private final Generation generation;
    private final long pageBytes;
    private final long pointerAlignment;
    private final List<VaRange> owned = new ArrayList<>();
    private long pieceBytes; // of the next piece
    private long next; // free addresses of the last piece: from here
    private long end;

    HeapArena(ManagedHeap heap, ManagedPages pages, Lifetime lifetime, RegionChanges regions, Handles handles) {
        this.heap = heap;
        this.lifetime = lifetime;
        this.regions = regions;
        space = pages.space();
        pageBytes = space.pageSize().bytes();
        pointerAlignment = pages.mirrors().stream().mapToLong(mirror -> mirror.device().info().baseAlignmentBytes()).max().orElse(Long.BYTES);
        pieceBytes = Math.max(FIRST_PIECE_BYTES, pageBytes);
        generation = handles.openOwned();
    }

    /// @param byteAlignment power of two up to 2 MiB; kept
    /// @throws OutOfMemoryError      if the heap has no free range of this size
    /// @throws IllegalStateException if the arena is closed
    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        if (byteSize < 0) {
            throw new IllegalArgumentException("byteSize=" + byteSize + ", must not be negative");
        }
        if (Long.bitCount(byteAlignment) != 1 || byteAlignment < 1 || byteAlignment > PageSize.MAX_BYTES) {
            throw new IllegalArgumentException("alignmentBytes=" + byteAlignment + ", must be a power of two up to 2 MiB");
        }
        try (Lifetime.Hold _ = lifetime.change("allocate")) {
            return allocateWhileOpen(byteSize, byteAlignment);
        }
    }

    private synchronized MemorySegment allocateWhileOpen(long byteSize, long byteAlignment) {
        if (!generation.scope().isAlive()) {
            throw new IllegalStateException("the arena is closed: allocate from one that is open");
        }
        long lengthBytes = Math.max(1, byteSize);
        long alignment = Math.max(byteAlignment, pointerAlignment);
        if (lengthBytes > pieceBytes / ALLOCATIONS_IN_A_PIECE || alignment > pageBytes) {
            return slice(ownRegion(lengthBytes, alignment).startBytes(), byteSize);
        }
        if (end - roundUp(next, alignment) < lengthBytes) {
            newPiece(lengthBytes);
        }
        long start = roundUp(next, alignment);
        next = start + lengthBytes;
        return slice(start, byteSize);
    }

    /// Where the heap has no room for a piece, there may be some for what is asked for.
    private void newPiece(long leastBytes) {
        VaRange piece;
        try {
            piece = ownRegion(pieceBytes, 1);
        } catch (OutOfMemoryError _) {
            piece = ownRegion(roundUp(leastBytes, pageBytes), 1);
        }
        next = piece.startBytes();
        end = piece.endBytes();
        pieceBytes = Math.max(pieceBytes, Math.min(2 * pieceBytes, LARGEST_PIECE_BYTES));
    }

    /// Its bytes. It is noted before it is allocated, since nobody else frees it.
    private VaRange ownRegion(long lengthBytes, long alignment) {
        int before = owned.size();
        try {
            return regions.allocate(lengthBytes, alignment, generation, region -> {
                owned.add(region.range());
                return region.data();
            });
        } catch (RuntimeException | Error e) {
            while (owned.size() > before) {
                owned.removeLast();
            }
            throw e;
        }
    }

    private MemorySegment slice(long addressBytes, long byteSize) {
        return generation.segment(addressBytes, byteSize);
    }

    private static long roundUp(long bytes, long alignment) {
        return (bytes + alignment - 1) & -alignment;
    }

    @Override
    HostView toFill(MemorySegment segment) {
        return heap.view(segment, Access.WRITE);
    }

    /// It goes with the arena.
    @Override
    void giveUp(MemorySegment segment) {}

    @Override
    public MemorySegment.Scope scope() {
        return generation.scope();
    }

    @Override
    public void close() {
        try (Lifetime.Hold _ = lifetime.change("closing the arena")) {
            closeWhileOpen();
        }
    }

    private synchronized void closeWhileOpen() {
        if (!generation.scope().isAlive()) {
            throw new IllegalStateException("the arena is closed already");
        }
        regions.freeTogether(owned, this::end);
    }

    private void end() {
        try {
            generation.end();
            space.ended(generation);
        } catch (IllegalStateException e) {
            throw new IllegalStateException(
                    "closing the arena refused: a native call uses memory of it; close it when that has returned", e);
        }
    }

    @Override
    public String toString() {
        return "arena of managed memory" + (generation.scope().isAlive() ? "" : ", closed");
    }
}
