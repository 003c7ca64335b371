package io.github.hmm4j;

import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.PageRange;
import java.util.List;
import java.util.Objects;

/// Where the pages of a range are, in bytes of whole pages; what `smaps` is for a mapping. Each page counts once.
///
/// @param emptyBytes    never written: they cost nothing anywhere
/// @param hostBytes     valid on the host only
/// @param sharedBytes   valid in several places: on the host and a device, or on several devices
/// @param deviceBytes   valid on one device only, by device index
/// @param poisonedBytes lost with a device
/// @param heldBytes     memory of a device that the pages take, by device index: also what is valid elsewhere, too, and what is only reserved. It is what [ManagedHeap#quota] bounds
public record Residency(long emptyBytes, long hostBytes, long sharedBytes, List<Long> deviceBytes, long poisonedBytes, List<Long> heldBytes) {

    public Residency {
        deviceBytes = List.copyOf(deviceBytes);
        heldBytes = List.copyOf(heldBytes);
    }

    /// Memory of a device that the pages take.
    ///
    /// @param device of the same heap
    public long heldOn(HmmDevice device) {
        return of(heldBytes, device);
    }

    /// Bytes of which a device has the only copy.
    ///
    /// @param device of the same heap
    public long onDevice(HmmDevice device) {
        return of(deviceBytes, device);
    }

    private static long of(List<Long> bytes, HmmDevice device) {
        int index = Objects.requireNonNull(device, "device").index();
        if (index >= bytes.size()) {
            throw new IllegalArgumentException(
                    "device=" + device + " is of another heap, this one has devices=" + bytes.size());
        }
        return bytes.get(index);
    }

    static Residency of(ManagedPages heap, PageRange pages) {
        return of(heap, List.of(pages));
    }

    static Residency of(ManagedPages heap, List<PageRange> ranges) {
        PageTable table = heap.table();
        long empty = 0;
        long host = 0;
        long shared = 0;
        long poisoned = 0;
        long[] device = new long[heap.mirrors().size()];
        for (PageRange pages : ranges) {
            heap.inFlight().noteEnds(pages);
            empty += pages.count(); // those that are not found anywhere below
            long next;
            for (long page = table.writtenFrom(pages.first(), pages.end()); page < pages.end(); page = table.writtenFrom(next, pages.end())) {
                long word = table.word(page);
                next = heap.endOfAlike(word, page, pages.end());
                int validAt = PageWord.validAt(word);
                if (validAt == 0 && PageWord.state(word) != PageState.POISONED) {
                    continue;
                }
                empty -= next - page;
                if (validAt == 0) {
                    poisoned++;
                } else if (validAt == 1) {
                    host++;
                } else if (Integer.bitCount(validAt) > 1) {
                    shared++;
                } else {
                    device[Integer.numberOfTrailingZeros(validAt) - 1] += next - page;
                }
            }
        }
        int shift = heap.space().pageSize().shift();
        List<Long> deviceBytes = java.util.Arrays.stream(device).map(count -> count << shift).boxed().toList();
        List<Long> heldBytes = heap.mirrors().stream().map(mirror -> ranges.stream().mapToLong(mirror::held).sum() << shift).toList();
        return new Residency(empty << shift, host << shift, shared << shift, deviceBytes, poisoned << shift, heldBytes);
    }
}
