package io.github.hmm4j.space;

/// The size of a page: a power of two from 4 KiB to 2 MiB. All conversions between bytes and page indexes are here.
public record PageSize(int bytes) {

    /// Smallest page.
    public static final int MIN_BYTES = 4 << 10;
    /// Largest page, and the block that batching and placement think in.
    public static final int MAX_BYTES = 2 << 20;
    /// 64 KiB.
    public static final PageSize DEFAULT = new PageSize(64 << 10);

    /// A page of so many bytes.
    ///
    /// @throws IllegalArgumentException if it is none
    public static PageSize of(long bytes) {
        if (bytes != (int) bytes) {
            throw refused(bytes);
        }
        return new PageSize((int) bytes);
    }

    public PageSize {
        if (bytes < MIN_BYTES || bytes > MAX_BYTES || Integer.bitCount(bytes) != 1) {
            throw refused(bytes);
        }
    }

    /// This size, if the operating system can map it.
    ///
    /// @param systemBytes a page of the operating system
    /// @throws IllegalArgumentException if it is less than that
    PageSize mappableInPagesOf(int systemBytes) {
        if (bytes < systemBytes) {
            throw new IllegalArgumentException("pageSize=" + bytes + ", must be at least " + systemBytes + " here, a page of the operating system");
        }
        return this;
    }

    private static IllegalArgumentException refused(long bytes) {
        return new IllegalArgumentException(
                "pageSize=" + bytes + ", must be a power of two from " + MIN_BYTES + " to " + MAX_BYTES);
    }

    public int shift() {
        return Integer.numberOfTrailingZeros(bytes);
    }

    /// Page that holds this offset.
    public long pageOf(long offsetBytes) {
        return offsetBytes >>> shift();
    }

    /// Offset of the first byte of a page.
    public long offsetOf(long pageIndex) {
        return pageIndex << shift();
    }

    /// Pages needed for so many bytes.
    public long pagesFor(long lengthBytes) {
        return (lengthBytes + bytes - 1) >>> shift();
    }

    /// Bytes in so many pages.
    public long bytesFor(long pageCount) {
        return pageCount << shift();
    }

    public boolean isAligned(long offsetBytes) {
        return (offsetBytes & (bytes - 1)) == 0;
    }

    /// Pages in one 2 MiB block.
    public int pagesPerBlock() {
        return MAX_BYTES / bytes;
    }

    @Override
    public String toString() {
        return ByteText.of(bytes);
    }
}
