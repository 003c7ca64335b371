package io.github.hmm4j.mirror;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.space.PageSize;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeldBlocksTest {

    /// The clock wraps around, so half of the time it shows less than nothing: most launches use no whole block, and then the use of a page is its own.
    @ParameterizedTest
    @ValueSource(ints = {1, Integer.MAX_VALUE, Integer.MIN_VALUE + 1, -1})
    void aBlockThatNobodyHasUsedIsNoLaterUse(int clock) {
        try (PageTable pages = new PageTable(8, new PageSize(4096)); HeldBlocks blocks = new HeldBlocks(pages)) {
            assertThat(blocks.laterUse(clock, 3)).isEqualTo(clock);
        }
    }
}
