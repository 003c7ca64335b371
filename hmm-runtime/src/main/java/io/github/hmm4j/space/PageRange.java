package io.github.hmm4j.space;

/// Pages `[first, end)` of an address space, by index.
public record PageRange(long first, long end) {

    public PageRange {
        if (first < 0 || end < first) {
            throw new IllegalArgumentException("first=" + first + ", end=" + end + ", must be 0 <= first <= end");
        }
    }

    public long count() {
        return end - first;
    }

    public boolean isEmpty() {
        return end == first;
    }

    public boolean contains(long pageIndex) {
        return pageIndex >= first && pageIndex < end;
    }

    public boolean overlaps(PageRange other) {
        return first < other.end && other.first < end;
    }
}
