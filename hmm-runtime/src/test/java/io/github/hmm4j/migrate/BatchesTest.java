package io.github.hmm4j.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.space.PageRange;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BatchesTest {

    private static final int PAGES = 400;
    private static final int MOST_BETWEEN = 5;

    /// Against a look at each page.
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void rangesAreJoinedOverShortGapsOfHarmlessPages(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        boolean[] harmless = new boolean[PAGES];
        for (int page = 0; page < PAGES; page++) {
            harmless[page] = random.nextInt(8) > 0;
        }
        List<PageRange> ranges = new ArrayList<>();
        for (long page = random.nextInt(3); page < PAGES - 20; ) {
            long end = page + 1 + random.nextInt(4);
            ranges.add(new PageRange(page, end));
            page = end + 1 + random.nextInt(MOST_BETWEEN + 3);
        }
        List<PageRange> joined = Batches.joined(ranges, MOST_BETWEEN, page -> harmless[(int) page]);
        List<PageRange> expected = new ArrayList<>();
        for (PageRange range : ranges) {
            boolean continues = !expected.isEmpty() && range.first() - expected.getLast().end() <= MOST_BETWEEN;
            for (long page = expected.isEmpty() ? 0 : expected.getLast().end(); continues && page < range.first(); page++) {
                continues = harmless[(int) page];
            }
            if (continues) {
                expected.set(expected.size() - 1, new PageRange(expected.getLast().first(), range.end()));
            } else {
                expected.add(range);
            }
        }
        assertThat(joined).isEqualTo(expected);
        assertThat(joined.size()).as("some are joined").isLessThan(ranges.size());
        assertThat(joined.size()).as("some are not").isGreaterThan(1);
    }
}
