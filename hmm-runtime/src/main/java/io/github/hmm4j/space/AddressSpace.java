package io.github.hmm4j.space;

import io.github.hmm4j.error.HmmException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;

/// The managed heap's virtual addresses and the regions allocated in them.
///
/// Reserving costs no memory: a terabyte opens in milliseconds. Regions start at a page; those of 2 MiB and more start at a 2 MiB block, while small ones share blocks, so
/// that a heap of 4 GiB has room for 65,536 of them and not for 2,048.
///
/// Threads: any. Looking up is lock-free; changes take the monitor of this object, in which nothing is waited for.
public final class AddressSpace implements AutoCloseable {

    private final PageSize pageSize;
    private final HostMemory host;
    private final long baseBytes;
    private final long capacityBytes;
    private final ConcurrentSkipListMap<Long, Region> regions = new ConcurrentSkipListMap<>();
    private final TreeMap<Long, Long> free = new TreeMap<>(); // start -> length, page-aligned, never adjacent
    private final LazyTable regionStarts; // 1 byte a page, set where a region begins, or free space behind one
    private long usedBytes;
    private int lastId;

    /// @param capacityBytes rounded up to 2 MiB
    /// @throws HmmException if the operating system refuses the reservation
    public AddressSpace(long capacityBytes, PageSize pageSize) {
        if (capacityBytes <= 0 || capacityBytes > 1L << 46) {
            throw new IllegalArgumentException("capacityBytes=" + capacityBytes + ", must be 1 to 64 TiB");
        }
        this.pageSize = pageSize;
        this.capacityBytes = roundUp(capacityBytes, PageSize.MAX_BYTES);
        if (pageSize.pagesFor(this.capacityBytes) > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("capacityBytes=%d is more than 2^31 pages of pageSize=%d; take larger pages"
                    .formatted(capacityBytes, pageSize.bytes()));
        }
        regionStarts = new LazyTable(pageCount());
        try {
            host = new HostMemory(this.capacityBytes, pageSize);
        } catch (RuntimeException | Error e) {
            regionStarts.close();
            throw e;
        }
        baseBytes = host.appAddressBytes();
        free.put(baseBytes, this.capacityBytes);
    }

    /// Where regions begin: one byte for each page, 1 at the first page of a region and at the first page behind one. For native code, which fetches ahead within a region only:
    /// free space that never was a region is empty like any page that nobody has touched.
    public long regionStartsAddressBytes() {
        return regionStarts.segment().address();
    }

    private void markBoundary(long addressBytes) {
        if (addressBytes < baseBytes + capacityBytes) {
            Map.Entry<Long, Region> before = regions.lowerEntry(addressBytes);
            boolean ends = before != null && before.getValue().range().endBytes() == addressBytes;
            regionStarts.segment().set(ValueLayout.JAVA_BYTE, pageOf(addressBytes), (byte) (ends || regions.containsKey(addressBytes) ? 1 : 0));
        }
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

    /// Allocates a region of at least this size, which reads as zeros.
    ///
    /// @param alignmentBytes power of two up to 2 MiB; the page size is always kept
    /// @throws OutOfMemoryError if no free range is large enough; the message says how much is free and the largest range
    public synchronized Region allocate(long lengthBytes, long alignmentBytes) {
        if (lengthBytes <= 0) {
            throw new IllegalArgumentException("lengthBytes=" + lengthBytes + ", must be positive");
        }
        if (Long.bitCount(alignmentBytes) != 1 || alignmentBytes < 1 || alignmentBytes > PageSize.MAX_BYTES) {
            throw new IllegalArgumentException("alignmentBytes=" + alignmentBytes + ", must be a power of two up to 2 MiB");
        }
        long alignment = Math.max(alignmentBytes, lengthBytes >= PageSize.MAX_BYTES ? PageSize.MAX_BYTES : pageSize.bytes());
        long wholeBytes = lengthBytes > capacityBytes ? lengthBytes : roundUp(lengthBytes, pageSize.bytes());
        for (Map.Entry<Long, Long> hole : free.entrySet()) {
            long start = roundUp(hole.getKey(), alignment);
            long end = hole.getKey() + hole.getValue();
            if (start < end && end - start >= wholeBytes) {
                return take(hole.getKey(), end, start, wholeBytes, lengthBytes);
            }
        }
        throw outOfMemory(lengthBytes);
    }

    private Region take(long holeStart, long holeEnd, long start, long wholeBytes, long requestedBytes) {
        free.remove(holeStart);
        if (start > holeStart) {
            free.put(holeStart, start - holeStart);
        }
        if (start + wholeBytes < holeEnd) {
            free.put(start + wholeBytes, holeEnd - start - wholeBytes);
        }
        usedBytes += wholeBytes;
        host.reuse(start - baseBytes, wholeBytes);
        Region region = new Region(nextId(), VaRange.ofLength(start, wholeBytes), requestedBytes);
        regions.put(start, region);
        markBoundary(start);
        markBoundary(start + wholeBytes);
        return region;
    }

    private OutOfMemoryError outOfMemory(long lengthBytes) {
        long freeBytes = 0;
        long largestBytes = 0;
        for (long hole : free.values()) {
            freeBytes += hole;
            largestBytes = Math.max(largestBytes, hole);
        }
        return new OutOfMemoryError("managed heap is full: lengthBytes=%d, freeBytes=%d, largestFreeBytes=%d, capacityBytes=%d"
                .formatted(lengthBytes, freeBytes, largestBytes, capacityBytes));
    }

    /// Takes whole pages out of their region. What remains of it on either side stays allocated, with an identity of its own when it is the tail.
    /// The addresses are **not** free yet: [#recycle] says when nothing refers to them any more.
    ///
    /// @throws IllegalArgumentException if the range is not within one region or not page-aligned
    public synchronized void unmap(VaRange range) {
        Region region = regionOf(range);
        requireAligned(range);
        regions.remove(region.range().startBytes());
        if (range.startBytes() > region.range().startBytes()) {
            VaRange head = new VaRange(region.range().startBytes(), range.startBytes());
            long requested = Math.min(region.requestedBytes(), head.lengthBytes());
            regions.put(head.startBytes(), new Region(region.id(), head, requested));
        }
        if (range.endBytes() < region.range().endBytes()) {
            VaRange tail = new VaRange(range.endBytes(), region.range().endBytes());
            long requested = region.range().startBytes() + region.requestedBytes() - tail.startBytes();
            regions.put(tail.startBytes(), new Region(nextId(), tail, Math.max(1, requested)));
        }
        markBoundary(range.startBytes());
        markBoundary(range.endBytes());
    }

    /// Makes unmapped addresses available again.
    public synchronized void recycle(VaRange range) {
        long start = range.startBytes();
        long end = range.endBytes();
        usedBytes -= end - start;
        Map.Entry<Long, Long> before = free.floorEntry(start);
        if (before != null && before.getKey() + before.getValue() == start) {
            start = before.getKey();
        }
        Long after = free.remove(end);
        if (after != null) {
            end += after;
        }
        free.put(start, end - start);
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
        if (region == null || !region.range().contains(range) || range.lengthBytes() == 0) {
            throw new IllegalArgumentException("range=" + range + " is not within one managed region"
                    + (region == null ? "" : ", region=" + region.range()));
        }
        return region;
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

    /// Pages that lie wholly within a range; empty if there are none.
    public PageRange wholePagesOf(VaRange range) {
        long first = pageSize.pagesFor(range.startBytes() - baseBytes);
        return new PageRange(first, Math.max(first, pageSize.pageOf(range.endBytes() - baseBytes)));
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
        return host.alias().address() + (addressBytes - baseBytes);
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
            throw new IllegalArgumentException("range=" + range + " is not aligned to pageSize=" + pageSize.bytes());
        }
    }

    private static long roundUp(long value, long powerOfTwo) {
        return (value + powerOfTwo - 1) & -powerOfTwo;
    }
}
