package io.github.hmm4j.mirror;

import io.github.hmm4j.space.PageSize;
import java.util.Locale;

/// Where the parts of a device's page table lie in the buffer that `hmm.clh` calls `hmm_pages`, counted in 32-bit words.
///
/// | part | size | written by |
/// | --- | --- | --- |
/// | control | 16 words | kernels; cleared by the host before each round |
/// | queue | 2 words for each of [#QUEUE_ENTRIES]: page and way of access, work-group | kernels |
/// | noted | 2 bits for each page: is in the queue to be read, to be written | kernels; cleared by the host before each round |
/// | table | 1 word for each page: frame, may be written, may be read | the host |
/// | touched | 2 bytes for each page: was read, was written | kernels; taken and cleared by the host |
///
/// @param shift     log2 of the page in bytes
/// @param pageCount of the heap
record TableLayout(int shift, long pageCount) {

    /// Faults that one round can tell of. If there are more, they come with the rounds after it.
    static final int QUEUE_ENTRIES = 1 << 14;

    static final int CONTROL_WORDS = 16;
    static final int QUEUE_AT = CONTROL_WORDS;
    static final int NOTED_AT = QUEUE_AT + 2 * QUEUE_ENTRIES;

    // Control words, as in hmm.clh.
    static final int UNFINISHED = 0;
    static final int PROGRESS = 1;
    static final int FAULTS = 2;
    static final int VIOLATION = 3;
    static final int VIOLATION_ADDRESS = 4; // 8 bytes
    static final int VIOLATION_ITEM = 6; // 8 bytes
    static final int LIMIT = 8;
    static final int GROUP_SIZE = 9;

    // Entries of the table: the frame is above.
    static final int MAY_READ = 1;
    static final int MAY_WRITE = 2;
    static final int FRAME_SHIFT = 2;

    static final int CROSSES_PAGE = 8; // of a violation

    static TableLayout of(PageSize pageSize, long pageCount) {
        return new TableLayout(pageSize.shift(), pageCount);
    }

    private static final int NOTED_PER_WORD = 16;

    long notedBytes() {
        return Math.ceilDiv(pageCount, NOTED_PER_WORD) * Integer.BYTES;
    }

    long tableAt() {
        return NOTED_AT + notedBytes() / Integer.BYTES;
    }

    long touchedAt() {
        return tableAt() + pageCount;
    }

    long totalBytes() {
        return touchedAt() * Integer.BYTES + 2 * pageCount;
    }

    /// For the compiler of kernels.
    String options() {
        return String.format(Locale.ROOT, "-DHMM_PAGED -DHMM_PAGE_SHIFT=%d -DHMM_HEAP_BYTES=%dul -DHMM_QUEUE_ENTRIES=%du -DHMM_QUEUE_AT=%d -DHMM_NOTED_AT=%d -DHMM_TABLE_AT=%d -DHMM_TOUCHED_AT=%d",
                shift, pageCount << shift, QUEUE_ENTRIES, QUEUE_AT, NOTED_AT, tableAt(), touchedAt());
    }
}
