package io.github.hmm4j.mirror;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.space.PageRange;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class FrameTableTest {

    private static final int BLOCK_SHIFT = 3;
    private static final int PAGES = 5 * 8 + 3;
    private static final int FRAMES = PAGES + 8;

    private final int[] frames = new int[PAGES];

    private boolean isContiguous(PageRange range) {
        int first = (int) range.first();
        for (int page = first; page < range.end(); page++) {
            if (frames[page] == FrameTable.NONE || frames[page] != frames[first] + page - first) {
                return false;
            }
        }
        return true;
    }

    /// Most frames lie where the page does, or one further, so that pieces come together and apart, within blocks and between them.
    private void change(FrameTable table, SplittableRandom random) {
        int page = random.nextInt(PAGES);
        table.unassign(page);
        frames[page] = FrameTable.NONE;
        int frame = page + (random.nextInt(8) == 0 ? 1 : 0);
        if (random.nextInt(8) > 0 && table.pageOf(frame) == FrameTable.NONE) {
            table.assign(page, frame);
            frames[page] = frame;
        }
    }

    /// Asked again and again, so that blocks become extents when they are asked about, and fall apart in time.
    @Test
    void knowsWhatLiesInOnePiece() {
        SplittableRandom random = new SplittableRandom(7);
        Arrays.fill(frames, FrameTable.NONE);
        int pieces = 0;
        try (FrameTable table = new FrameTable(PAGES, FRAMES, BLOCK_SHIFT)) {
            for (int i = 0; i < 200_000; i++) {
                if (random.nextInt(4) == 0) {
                    change(table, random);
                }
                int first = random.nextInt(PAGES);
                PageRange range = new PageRange(first, first + 1 + random.nextInt(PAGES - first));
                boolean expected = isContiguous(range);
                assertThat(table.isContiguous(range)).as("step %d, %s, frames %s", i, range, Arrays.toString(frames)).isEqualTo(expected);
                pieces += expected && range.count() > 16 ? 1 : 0;
            }
        }
        assertThat(pieces).as("ranges of several blocks in one piece").isPositive();
    }
}
