package io.github.hmm4j.mirror;

import io.github.hmm4j.space.PageRange;

/// How many pages of one region may have frames of a device at a time.
public record Quota(PageRange region, long pages) {

    /// How many pages of ranges, which do not overlap, are of the region.
    public long countIn(Iterable<PageRange> ranges) {
        long count = 0;
        for (PageRange range : ranges) {
            count += Math.max(0, Math.min(range.end(), region.end()) - Math.max(range.first(), region.first()));
        }
        return count;
    }

    /// What is left of it beside `taken` pages.
    public Quota less(long taken) {
        return new Quota(region, Math.max(0, pages - taken));
    }
}
