package io.github.hmm4j.space;

import java.util.Locale;

/// Where in its first page the data of a large region begins.
///
/// Arrays of the same power of two that all begin at a page have their corresponding elements at the same place of every
/// page, and a processor takes such elements for each other: a load waits for a store 4 KiB further on, and they share the
/// few places of one cache set. A kernel that goes through several arrays at once lost a quarter of its time to that. So
/// each large region begins a little further on than the one before.
///
/// Small regions lie anywhere by themselves. What was measured to fit must fit: so a region that would grow by a good part,
/// or comes near the size of a device's budget, begins at its page; and a heap has room for the pages that this may take.
///
/// @param stepBytes    from one region to the next; a multiple of what kernel arguments are aligned to. 0: every region begins at its page
/// @param largestBytes of regions that are shifted
public record Coloring(int stepBytes, long largestBytes) {

    /// All regions begin at a page.
    public static final Coloring NONE = new Coloring(0, 0);

    /// What repeats: processors compare addresses within it, and host and device have all larger steps of an address for themselves.
    static final int SPAN_BYTES = 4096;

    private static final long SMALLEST_BYTES = PageSize.MAX_BYTES;
    private static final int SMALLEST_PAGES = 16;
    private static final int SMALLEST_ALIGNMENT_BYTES = 128;
    /// Five: neighbours are 640 bytes apart where pointers are aligned to 128, and all places are used before one is used again.
    private static final int STEP_IN_ALIGNMENTS = 5;
    private static final int REGIONS_IN_A_BUDGET = 8;

    public Coloring {
        if (stepBytes < 0 || largestBytes < 0) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "stepBytes=%d, largestBytes=%d, must not be negative",
                    stepBytes, largestBytes));
        }
    }

    /// @param baseAlignmentBytes  power of two at a multiple of which every device can take a pointer
    /// @param smallestBudgetBytes of any device
    public static Coloring of(int baseAlignmentBytes, long smallestBudgetBytes) {
        int alignment = Math.max(baseAlignmentBytes, SMALLEST_ALIGNMENT_BYTES);
        return alignment >= SPAN_BYTES ? NONE : new Coloring(STEP_IN_ALIGNMENTS * alignment, smallestBudgetBytes / REGIONS_IN_A_BUDGET);
    }

    /// What a heap needs beside the bytes that are asked for: a page more for each region that is shifted.
    public long roomBytes(long heapBytes) {
        return stepBytes == 0 ? 0 : heapBytes / SMALLEST_PAGES;
    }

    /// Whether the data of a region may begin behind the start of its page.
    boolean shifts(long lengthBytes, long alignmentBytes, PageSize pageSize) {
        return stepBytes > 0 && lengthBytes <= largestBytes && lengthBytes >= Math.max(SMALLEST_BYTES, SMALLEST_PAGES * (long) pageSize.bytes())
                && alignmentBytes <= Integer.lowestOneBit(stepBytes);
    }

    /// Where the data of the region begins that is the `turn`-th of those that are shifted.
    int offsetBytes(int turn) {
        return (int) ((long) turn * stepBytes % SPAN_BYTES);
    }
}
