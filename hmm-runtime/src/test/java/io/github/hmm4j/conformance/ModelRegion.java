package io.github.hmm4j.conformance;

import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// What an allocation should hold and allow, kept in the plainest way.
final class ModelRegion {

    final MemorySegment handle;
    final byte[] bytes;
    final Protection[] protections;
    final Map<Integer, Integer> quotas = new HashMap<>(); // pages, by device
    private final int pageBytes;

    ModelRegion(MemorySegment handle, byte[] bytes, Protection[] protections, int pageBytes) {
        this.handle = handle;
        this.bytes = bytes;
        this.protections = protections;
        this.pageBytes = pageBytes;
    }

    static ModelRegion empty(MemorySegment handle, int pageBytes) {
        Protection[] open = new Protection[Math.ceilDiv(Math.toIntExact(handle.byteSize()), pageBytes)];
        Arrays.fill(open, Protection.READ_WRITE);
        return new ModelRegion(handle, new byte[Math.toIntExact(handle.byteSize())], open, pageBytes);
    }

    int pages() {
        return protections.length;
    }

    int size() {
        return bytes.length;
    }

    Slice slice(int start, int length) {
        return new Slice(this, start, length);
    }

    /// Pages `[first, end)`; the last one may be shorter than a page.
    Slice pages(int first, int end) {
        int start = first * pageBytes;
        return slice(start, Math.min(end * pageBytes, size()) - start);
    }

    Slice all() {
        return slice(0, size());
    }

    /// What is left, or moves, of this region: pages `[first, end)` under a handle.
    ModelRegion part(int first, int end, MemorySegment newHandle) {
        int start = first * pageBytes;
        ModelRegion part = new ModelRegion(newHandle, Arrays.copyOfRange(bytes, start, start + Math.toIntExact(newHandle.byteSize())),
                Arrays.copyOfRange(protections, first, end), pageBytes);
        part.quotas.putAll(quotas);
        return part;
    }

    /// Bytes `[start, start + length)` of a region.
    record Slice(ModelRegion region, int start, int length) {

        MemorySegment segment() {
            return region.handle.asSlice(start, length);
        }

        int end() {
            return start + length;
        }

        int firstPage() {
            return start / region.pageBytes;
        }

        int endPage() {
            return Math.ceilDiv(end(), region.pageBytes);
        }

        boolean sharesPageWith(Slice other) {
            return region == other.region && firstPage() < other.endPage() && other.firstPage() < endPage();
        }

        boolean overlaps(Slice other) {
            return region == other.region && start < other.end() && other.start < end();
        }

        boolean allows(boolean write) {
            for (int page = firstPage(); page < endPage(); page++) {
                if (!pageAllows(page, write)) {
                    return false;
                }
            }
            return true;
        }

        private boolean pageAllows(int page, boolean write) {
            Protection protection = region.protections[page];
            return write ? protection == Protection.READ_WRITE : protection != Protection.NONE;
        }

        void protect(Protection protection) {
            Arrays.fill(region.protections, firstPage(), endPage(), protection);
        }

        /// Pages of which the slice has all that is the program's are zeros from here on: the last one may be shorter.
        void discard() {
            int first = Math.ceilDiv(start, region.pageBytes) * region.pageBytes;
            int end = end() == region.size() ? end() : end() / region.pageBytes * region.pageBytes;
            if (first < end) {
                Arrays.fill(region.bytes, first, end, (byte) 0);
            }
        }
    }
}
