package io.github.hmm4j.mirror;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.space.LazyTable;
import io.github.hmm4j.space.Parts;
import java.lang.invoke.VarHandle;

/// What launches have found of whole blocks of 2 MiB: that a device has all of their pages. Who looks for that looks at
/// two numbers for a block instead of at all its pages.
///
/// Native code notes it (`resident.c`), with the count that the block had before ([PageTable#changes]): it is true as
/// long as the count is the same.
///
/// Off-heap: 12 bytes for each block that was ever used. Threads: any.
final class HeldBlocks implements AutoCloseable {

    private static final VarHandle LONG = JAVA_LONG.varHandle();
    private static final VarHandle INT = JAVA_INT.varHandle();
    private static final long TO_READ = 1; // as in block.h
    private static final long TO_WRITE = 2;
    private static final long NOTED = 0xffff;

    private final PageTable table;
    private final LazyTable held;
    private final LazyTable lastUse;

    HeldBlocks(PageTable table) {
        this.table = table;
        long blocks = table.blockOf(table.pageCount() - 1) + 1;
        Parts parts = new Parts();
        try {
            held = parts.add(new LazyTable(blocks * Long.BYTES));
            lastUse = parts.add(new LazyTable(blocks * Integer.BYTES));
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    /// The end of the block that begins with `page`, if it ends by `end` and the device may use all of it as it is;
    /// else `page`.
    ///
    /// @param writes whether kernels are to write there
    long endOfHeld(long page, long end, boolean writes) {
        long asked = writes ? TO_WRITE : TO_READ;
        long block = table.blockOf(page);
        long next = table.firstOf(block + 1);
        if (page != table.firstOf(block) || next > end) {
            return page;
        }
        long noted = (long) LONG.getVolatile(held.segment(), block * Long.BYTES); // first: it was true when the counts were equal
        return (noted & asked) == asked && (noted & ~NOTED) == table.changes(block) ? next : page;
    }

    /// Clock of the last launch that used all of the block that holds a page, or `own` if that is later.
    int laterUse(int own, long page) {
        int block = (int) INT.getOpaque(lastUse.segment(), table.blockOf(page) * Integer.BYTES);
        return block != 0 && block - own > 0 ? block : own; // it may wrap around; 0: there was none, which would be later than all that is less than nothing
    }

    long heldAddressBytes() {
        return held.segment().address();
    }

    long lastUseAddressBytes() {
        return lastUse.segment().address();
    }

    @Override
    public void close() {
        held.close();
        lastUse.close();
    }
}
