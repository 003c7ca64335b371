package io.github.hmm4j.space;

import io.github.hmm4j.error.HmmException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The managed heap's virtual addresses and the regions allocated in them.
///
/// Reserving costs no memory: a terabyte opens in milliseconds. Regions start at a page; those of 2 MiB and more start at a 2 MiB block, while small ones share blocks, so
/// that a heap of 4 GiB has room for 65,536 of them and not for 2,048. Where the data of large regions is shifted within their first page ([Coloring]), those share blocks, too.
/// Addresses that were freed are not used again at once, nor before the segments that had them throw ([Quarantine], [Generation]); no allocation fails for that.
///
/// Threads: any. Looking up is lock-free; changes take the monitor of this object, in which nothing is waited for.
public final class AddressSpace implements AutoCloseable {

    /// No heap is larger.
    public static final long MOST_BYTES = 1L << 46;

    private static final int MOST_PUT_OFF = 64;

    private final PageSize pageSize;
    private final Coloring coloring;
    private final HostMemory host;
    private final long baseBytes;
    private final long capacityBytes;
    private final ConcurrentSkipListMap<Long, Region> regions = new ConcurrentSkipListMap<>();
    private final TreeMap<Long, Long> free = new TreeMap<>(); // start -> length, page-aligned, never adjacent
    private final Quarantine quarantine = new Quarantine(); // freed, and not in `free` yet
    private final LazyTable regionStarts; // 1 byte a page, set where a region begins, or free space behind one
    private long usedBytes;
    private int lastId;
    private int shifted; // regions so far
    private boolean guarded;
    private @Nullable Handles handles;
    private volatile long frees;

    /// A space in which the data of every region begins at a page.
    ///
    /// @param capacityBytes rounded up to 2 MiB
    /// @throws HmmException if the operating system refuses the reservation
    public AddressSpace(long capacityBytes, PageSize pageSize) {
        this(capacityBytes, pageSize, Coloring.NONE);
    }

    /// @param capacityBytes rounded up to 2 MiB, with room for what `coloring` takes
    /// @param coloring      where the data of large regions begins
    /// @throws HmmException if the operating system refuses the reservation
    public AddressSpace(long capacityBytes, PageSize pageSize, Coloring coloring) {
        this(capacityBytes, pageSize, coloring, null);
    }

    /// @param source who allocates the host's memory, all of it at once; null: it is ours
    /// @throws HmmException also if the source refuses
    public AddressSpace(long capacityBytes, PageSize pageSize, Coloring coloring, HostBlock.@Nullable Source source) {
        if (capacityBytes <= 0 || capacityBytes > MOST_BYTES) {
            throw new IllegalArgumentException("capacityBytes=" + capacityBytes + ", must be 1 to 64 TiB");
        }
        this.pageSize = pageSize.mappableInPagesOf(SystemCalls.pageBytes());
        this.coloring = coloring;
        this.capacityBytes = roundUp(capacityBytes + coloring.roomBytes(capacityBytes), PageSize.MAX_BYTES);
        if (pageSize.pagesFor(this.capacityBytes) > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "capacityBytes=%d is more than 2^31 pages of pageSize=%d; take larger pages",
                    capacityBytes, pageSize.bytes()));
        }
        Parts parts = new Parts();
        try {
            host = parts.add(new HostMemory(this.capacityBytes, pageSize, source));
            baseBytes = host.appAddressBytes();
            regionStarts = parts.add(new LazyTable(pageCount()));
            free.put(baseBytes, this.capacityBytes);
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    /// From now on a page stays free between any two regions, so that who runs over the end of one does not get into another.
    public synchronized void guardRegions() {
        guarded = true;
    }

    /// From now on regions have generations. Before the first of them.
    public synchronized void giveHandles(Handles given) {
        handles = given;
    }

    /// Whether a scope is that of allocations of this space; see [Handles#knows].
    public boolean knows(MemorySegment.Scope scope) {
        return handles != null && handles.knows(scope);
    }

    /// The same of an arena's.
    public boolean isArena(MemorySegment.Scope scope) {
        return handles != null && handles.isArena(scope);
    }

    /// Where regions begin: one byte for each page, 1 at the first page of a region and at the first page behind one. For native code, which fetches ahead within a region only:
    /// free space that never was a region is empty like any page that nobody has touched.
    public long regionStartsAddressBytes() {
        return regionStarts.segment().address();
    }

    private void markBoundary(long addressBytes, boolean isOne) {
        if (addressBytes < baseBytes + capacityBytes) {
            regionStarts.segment().set(ValueLayout.JAVA_BYTE, pageOf(addressBytes), (byte) (isOne ? 1 : 0));
        }
    }

    private boolean endsARegion(long addressBytes) {
        Map.Entry<Long, Region> before = regions.lowerEntry(addressBytes);
        return before != null && before.getValue().range().endBytes() == addressBytes;
    }

    public PageSize pageSize() {
        return pageSize;
    }

    public HostMemory host() {
        return host;
    }

    /// First address.
    public long baseBytes() {
        return baseBytes;
    }

    public long capacityBytes() {
        return capacityBytes;
    }

    public long pageCount() {
        return pageSize.pageOf(capacityBytes);
    }

    /// Bytes in regions, whole pages.
    public synchronized long usedBytes() {
        return usedBytes;
    }

    /// The end of the last region, or the first address if there is none.
    public long allocatedEndBytes() {
        Map.Entry<Long, Region> last = regions.lastEntry();
        return last == null ? baseBytes : last.getValue().range().endBytes();
    }

    /// Allocates a region of at least this size, which reads as zeros.
    ///
    /// @param alignmentBytes power of two up to 2 MiB; the page size is always kept
    /// @throws OutOfMemoryError if no free range is large enough; the message says how much is free and the largest range
    public Region allocate(long lengthBytes, long alignmentBytes) {
        return allocate(lengthBytes, alignmentBytes, null, region -> region);
    }

    /// The same for somebody who needs more than the region: what must be made of it is made before it is allocated, since a region that nobody hears of cannot be freed.
    ///
    /// @param owner    that of an arena, which frees it; null: one of the space's
    /// @param describe makes what is returned; called under the monitor of this object
    public synchronized <T> T allocate(long lengthBytes, long alignmentBytes, @Nullable Generation owner, Function<Region, T> describe) {
        if (lengthBytes <= 0) {
            throw new IllegalArgumentException("lengthBytes=" + lengthBytes + ", must be positive");
        }
        if (Long.bitCount(alignmentBytes) != 1 || alignmentBytes < 1 || alignmentBytes > PageSize.MAX_BYTES) {
            throw new IllegalArgumentException("alignmentBytes=" + alignmentBytes + ", must be a power of two up to 2 MiB");
        }
        if (coloring.shifts(lengthBytes, alignmentBytes, pageSize)) {
            T described = allocateAt(coloring.offsetBytes(shifted), lengthBytes, pageSize.bytes(), owner, PlacementAdvice.NONE, describe);
            if (described != null) {
                shifted = (shifted + 1) % Coloring.SPAN_BYTES; // a multiple of every number of places
                return described;
            }
        }
        long alignment = Math.max(alignmentBytes, lengthBytes >= PageSize.MAX_BYTES ? PageSize.MAX_BYTES : pageSize.bytes());
        T described = allocateAt(0, lengthBytes, alignment, owner, PlacementAdvice.NONE, describe);
        if (described == null) {
            throw outOfMemory(lengthBytes);
        }
        return described;
    }

    /// Allocates a region with as many pages as another, whose data lies at the same place in them.
    ///
    /// @param describe makes what is returned; called under the monitor of this object
    /// @throws OutOfMemoryError as [#allocate(long, long, Generation, Function)]
    public synchronized <T> T allocateLike(Region other, Function<Region, T> describe) {
        long dataOffset = other.data().startBytes() - other.range().startBytes();
        long lengthBytes = other.data().lengthBytes();
        boolean atBlock = dataOffset == 0 && lengthBytes >= PageSize.MAX_BYTES;
        T described = allocateAt((int) dataOffset, lengthBytes, atBlock ? PageSize.MAX_BYTES : pageSize.bytes(), other.owned() ? other.generation() : null, other.advice(), describe);
        if (described == null) {
            throw outOfMemory(lengthBytes);
        }
        return described;
    }

    /// Returns null if no free range is large enough, nor would be if all addresses were free that were freed before.
    private <T> @Nullable T allocateAt(int dataOffset, long lengthBytes, long alignmentBytes, @Nullable Generation owner, PlacementAdvice advice, Function<Region, T> describe) {
        T described = allocateInFree(dataOffset, lengthBytes, alignmentBytes, generationFor(owner, lengthBytes), advice, describe);
        while (described == null && !quarantine.isEmpty()) {
            release(quarantine.oldest());
            described = allocateInFree(dataOffset, lengthBytes, alignmentBytes, generationFor(owner, lengthBytes), advice, describe);
        }
        return described;
    }

    private @Nullable Generation generationFor(@Nullable Generation owner, long lengthBytes) {
        return owner != null || handles == null ? owner : handles.next(lengthBytes);
    }

    private <T> @Nullable T allocateInFree(int dataOffset, long lengthBytes, long alignmentBytes, @Nullable Generation generation, PlacementAdvice advice,
            Function<Region, T> describe) {
        long wholeBytes = lengthBytes > capacityBytes ? lengthBytes : roundUp(dataOffset + lengthBytes, pageSize.bytes());
        for (Map.Entry<Long, Long> hole : free.entrySet()) {
            long holeEnd = hole.getKey() + hole.getValue();
            long start = roundUp(hole.getKey() + (guarded && endsARegion(hole.getKey()) ? pageSize.bytes() : 0), alignmentBytes);
            long end = holeEnd - (guarded && regions.containsKey(holeEnd) ? pageSize.bytes() : 0);
            if (start < end && end - start >= wholeBytes) {
                Region region = new Region(nextId(), VaRange.ofLength(start, wholeBytes), VaRange.ofLength(start + dataOffset, lengthBytes), generation, advice);
                T described = describe.apply(region);
                take(hole.getKey(), holeEnd, region);
                return described;
            }
        }
        return null;
    }

    /// All or nothing: the Java heap may be full.
    private void take(Long holeStart, long holeEnd, Region region) {
        Long start = region.range().startBytes();
        Long end = region.range().endBytes();
        Long before = start - holeStart;
        PageRange pages = pagesOf(region.range());
        if (end < holeEnd) {
            free.put(end, holeEnd - end);
        }
        try {
            put(start, region);
        } catch (OutOfMemoryError e) {
            free.remove(end);
            throw e;
        }
        if (before > 0) {
            free.replace(holeStart, before); // needs no memory
        } else {
            free.remove(holeStart);
        }
        usedBytes += region.range().lengthBytes();
        if (region.generation() != null) {
            region.generation().allocated(region.range().lengthBytes());
        }
        host.reuse(pages);
        markBoundary(start, true);
        markBoundary(end, true);
    }

    /// The map adds first and makes the way to it shorter then; it may run out of memory in between.
    private void put(Long start, Region region) {
        try {
            regions.put(start, region);
        } catch (OutOfMemoryError e) {
            if (!region.equals(regions.get(start))) {
                throw e;
            }
        }
    }

    /// The same the other way round.
    private void remove(Long start) {
        try {
            regions.remove(start);
        } catch (OutOfMemoryError e) {
            if (regions.containsKey(start)) {
                throw e;
            }
        }
    }

    private OutOfMemoryError outOfMemory(long lengthBytes) {
        long freeBytes = 0;
        long largestBytes = 0;
        for (long hole : free.values()) {
            freeBytes += hole;
            largestBytes = Math.max(largestBytes, hole);
        }
        return new OutOfMemoryError(String.format(Locale.ROOT, "managed heap is full: lengthBytes=%d, freeBytes=%d,"
                        + " largestFreeBytes=%d, capacityBytes=%d; free some, or open a larger one (HmmBuilder.heap)",
                lengthBytes, freeBytes, largestBytes, capacityBytes));
    }

    /// Takes whole pages out of their region. What remains of it on either side stays allocated, with an identity of its own when it is the tail.
    /// The addresses are **not** free yet: [#recycle] says when nothing of ours refers to them any more.
    ///
    /// @throws IllegalArgumentException if the range is not within one region or not page-aligned
    ///
    /// @return what the addresses wait for with [#recycle]
    public synchronized @Nullable Generation unmap(VaRange range) {
        Region region = regionOf(range);
        requireAligned(range);
        Long start = region.range().startBytes();
        Long end = range.endBytes();
        boolean hasHead = range.startBytes() > start;
        boolean hasTail = end < region.range().endBytes();
        boolean startIsBoundary = hasHead || endsARegion(range.startBytes());
        boolean endIsBoundary = hasTail || regions.containsKey(end);
        VaRange head = new VaRange(start, hasHead ? range.startBytes() : end);
        Region left = region.part(region.id(), head);
        if (hasTail) {
            put(end, region.part(nextId(), new VaRange(end, region.range().endBytes())));
        }
        if (hasHead) {
            regions.replace(start, left); // needs no memory
        } else {
            remove(start);
        }
        markBoundary(range.startBytes(), startIsBoundary);
        markBoundary(range.endBytes(), endIsBoundary);
        frees++;
        Generation generation = region.generation();
        if (generation != null) {
            generation.unmapped((hasHead ? 1 : 0) + (hasTail ? 1 : 0) - 1);
        }
        return generation;
    }

    /// How often addresses were taken out of a region: as long as it is the same, what was found of segments is so.
    public long frees() {
        return frees;
    }

    /// Ends the generations of which nothing is left, if any: their segments throw from then on. Waits for other threads to take note, with nothing held; never fails.
    ///
    /// @param mayWait whether it is better done with a later call, since a thread may take note late; asked only if there is something to end, and not heard if too many have been put off
    public void endGenerations(BooleanSupplier mayWait) {
        int count = countToEnd();
        if (count == 0 || (count <= MOST_PUT_OFF && isSo(mayWait))) {
            return;
        }
        Generation generation = takeToEnd();
        while (generation != null) {
            Generation next = generation.nextToEnd;
            end(generation);
            generation = next;
        }
    }

    private synchronized int countToEnd() {
        return handles == null ? 0 : handles.countToEnd();
    }

    private synchronized @Nullable Generation takeToEnd() {
        return handles == null ? null : handles.takeToEnd();
    }

    private static boolean isSo(BooleanSupplier condition) {
        try {
            return condition.getAsBoolean();
        } catch (OutOfMemoryError e) {
            return true;
        }
    }

    private void end(Generation generation) {
        try {
            if (!generation.isOver()) {
                generation.end();
            }
        } catch (IllegalStateException | OutOfMemoryError e) { // a native call uses a segment of it still, or the Java heap is full: with the next free
            again(generation);
            return;
        }
        ended(generation);
    }

    private synchronized void again(Generation generation) {
        if (handles != null) {
            handles.endLater(generation);
        }
    }

    /// All threads have taken note that it has ended: its addresses wait for that no longer.
    public synchronized void ended(Generation generation) {
        generation.ended = true;
        quarantine.generationEnded();
    }

    /// Gives unmapped addresses up, to which nothing refers any more but what the program may have kept. They can be allocated again when their generation has ended and others have been given up
    /// after them ([Quarantine]), or where there is no other place for an allocation; then the oldest go first, one after the other. All or nothing: the Java heap may be full.
    ///
    /// @param withMemory whether host memory was kept at these addresses
    public synchronized void recycle(VaRange range, boolean withMemory, @Nullable Generation generation) {
        for (int i = quarantine.leavesFor(range.lengthBytes(), withMemory); i >= 0; i = quarantine.leavesFor(range.lengthBytes(), withMemory)) {
            release(i);
        }
        quarantine.add(range, withMemory, generation);
        usedBytes -= range.lengthBytes();
    }

    private void release(int i) {
        if (handles != null) {
            handles.retire(quarantine.generation(i));
        }
        join(quarantine.range(i));
        quarantine.remove(i);
    }

    /// All or nothing, too.
    private void join(VaRange range) {
        Map.Entry<Long, Long> before = free.floorEntry(range.startBytes());
        boolean joins = before != null && before.getKey() + before.getValue() == range.startBytes();
        Long start = joins ? before.getKey() : range.startBytes();
        Long oldEnd = range.endBytes();
        Long after = free.get(oldEnd);
        free.put(start, oldEnd + (after == null ? 0 : after) - start);
        free.remove(oldEnd);
    }

    /// Changes where kernels are to use the region that holds a range.
    ///
    /// @throws IllegalArgumentException if there is none
    public synchronized void advise(VaRange range, UnaryOperator<PlacementAdvice> change) {
        Region region = regionOf(range);
        Region advised = new Region(region.id(), region.range(), region.data(), region.generation(), change.apply(region.advice()));
        regions.replace(region.range().startBytes(), advised);
    }

    /// The region that holds an address.
    public Optional<Region> regionAt(long addressBytes) {
        Map.Entry<Long, Region> entry = regions.floorEntry(addressBytes);
        return entry != null && addressBytes < entry.getValue().range().endBytes()
                ? Optional.of(entry.getValue())
                : Optional.empty();
    }

    /// The one region that holds a whole, non-empty range.
    ///
    /// @throws IllegalArgumentException if there is none
    public Region regionOf(VaRange range) {
        Region region = regionAt(range.startBytes()).orElse(null);
        if (range.lengthBytes() == 0) {
            throw new IllegalArgumentException("range=" + range + " is empty");
        }
        if (region == null || !region.range().contains(range)) {
            throw new IllegalArgumentException("range=" + range + " is not within one managed region"
                    + (region == null ? ": it was freed, or never allocated" : ", region=" + region.range()));
        }
        return region;
    }

    /// Whether an address is one of this heap's, allocated or not.
    public boolean contains(long addressBytes) {
        return Long.compareUnsigned(addressBytes - baseBytes, capacityBytes()) < 0;
    }

    /// All regions in order of address, at one moment.
    public List<Region> regions() {
        return new ArrayList<>(regions.values());
    }

    /// The pages that a range touches, whole or in part.
    public PageRange pagesOf(VaRange range) {
        return new PageRange(
                pageSize.pageOf(range.startBytes() - baseBytes), pageSize.pagesFor(range.endBytes() - baseBytes));
    }

    /// Pages of which nothing but a part of this range belongs to the program; empty if there are none.
    ///
    /// @throws IllegalArgumentException if the range is not within one region
    public PageRange wholePagesOf(VaRange range) {
        VaRange widened = regionOf(range).widened(range);
        long first = pageSize.pagesFor(widened.startBytes() - baseBytes);
        return new PageRange(first, Math.max(first, pageSize.pageOf(widened.endBytes() - baseBytes)));
    }

    public long pageOf(long addressBytes) {
        return pageSize.pageOf(addressBytes - baseBytes);
    }

    /// Address of the first byte of a page.
    public long addressOf(long pageIndex) {
        return baseBytes + pageSize.offsetOf(pageIndex);
    }

    public VaRange addressesOf(PageRange pages) {
        return new VaRange(addressOf(pages.first()), addressOf(pages.end()));
    }

    /// Where the runtime finds the host bytes of an address.
    public long aliasAddressOf(long addressBytes) {
        long page = pageOf(addressBytes);
        return host.addressOf(page) + addressBytes - addressOf(page);
    }

    @Override
    public void close() {
        regionStarts.close();
        host.close();
    }

    private int nextId() {
        lastId = lastId == Integer.MAX_VALUE ? 1 : lastId + 1; // a frame forgets its region when it is given up, long before
        return lastId;
    }

    private void requireAligned(VaRange range) {
        if (!pageSize.isAligned(range.startBytes()) || !pageSize.isAligned(range.endBytes())) {
            throw new IllegalArgumentException("range=" + range
                    + " is neither an allocation nor whole pages of one, pageSize=" + pageSize.bytes());
        }
    }

    private static long roundUp(long value, long powerOfTwo) {
        return (value + powerOfTwo - 1) & -powerOfTwo;
    }
}
