package io.github.hmm4j.mirror;

import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Region;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// How a range of pages looked from one device, page by page. Taking it faults nothing and moves nothing.
///
/// A snapshot may be old when it is returned; [Notifier]'s read-begin and read-retry tell whether it still holds.
public final class Snapshot {

    private final PageRange pages;
    private final byte[] codes;

    private Snapshot(PageRange pages, byte[] codes) {
        this.pages = pages;
        this.codes = codes;
    }

    public PageRange pages() {
        return pages;
    }

    /// Code of a page by its index in the address space.
    ///
    /// @throws IllegalArgumentException if that is none of [#pages]
    public SnapshotCode at(long pageIndex) {
        if (pageIndex < pages.first() || pageIndex >= pages.end()) {
            throw new IllegalArgumentException("pageIndex=" + pageIndex + ", must be within pages=" + pages);
        }
        return SnapshotCode.of(codes[(int) (pageIndex - pages.first())]);
    }

    /// All codes in order.
    public List<SnapshotCode> codes() {
        List<SnapshotCode> list = new ArrayList<>(codes.length);
        for (byte code : codes) {
            list.add(SnapshotCode.of(code));
        }
        return list;
    }

    /// The raw codes, one byte for each page.
    public byte[] bytes() {
        return codes.clone();
    }

    /// Says how far a look at one page goes ([ManagedPages#endOfAlike]).
    @FunctionalInterface
    interface Alike {
        long endOfAlike(long word, long page, long end);
    }

    /// Looks at pages from a device.
    static Snapshot take(AddressSpace space, PageTable table, int device, PageRange pages, Alike blocks) {
        byte[] codes = new byte[Math.toIntExact(pages.count())];
        Arrays.fill(codes, (byte) SnapshotCode.ERROR.code());
        long page = pages.first();
        while (page < pages.end()) {
            Region region = space.regionAt(space.addressOf(page)).orElse(null);
            if (region == null) {
                page++;
                continue;
            }
            long end = Math.min(pages.end(), space.pagesOf(region.range()).end());
            while (page < end) {
                long word = table.word(page);
                long alike = blocks.endOfAlike(word, page, end);
                Arrays.fill(codes, (int) (page - pages.first()), (int) (alike - pages.first()), (byte) codeOf(word, device));
                page = alike;
            }
        }
        return new Snapshot(pages, codes);
    }

    private static int codeOf(long word, int device) {
        if (!PageWord.isReadable(word)) {
            return SnapshotCode.ERROR.code();
        }
        boolean writable = PageWord.isWritable(word);
        SnapshotCode code = switch (PageWord.state(word)) {
            case POISONED, UNMAPPED -> SnapshotCode.ERROR;
            case TO_DEVICE, TO_HOST -> SnapshotCode.NONE;
            case EMPTY -> PageWord.isMarkedRead(word) ? SnapshotCode.ZERO_READ : SnapshotCode.NONE;
            case HOST -> writable ? SnapshotCode.WRITE : SnapshotCode.READ;
            case SHARED -> SnapshotCode.READ;
            case PEERS -> PageWord.isSharedBy(word, device) ? SnapshotCode.DEVICE_PRIVATE_LOCAL_READ : SnapshotCode.NONE;
            case DEVICE -> PageWord.device(word) != device ? SnapshotCode.NONE
                    : writable ? SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE : SnapshotCode.DEVICE_PRIVATE_LOCAL_READ;
        };
        return code.code();
    }

    @Override
    public String toString() {
        return "Snapshot" + codes();
    }
}
