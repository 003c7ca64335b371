package io.github.hmm4j.space;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PageSetTest {

    private static final int PAGES = 40;

    private static PageRange range(SplittableRandom random) {
        int first = random.nextInt(PAGES);
        return new PageRange(first, first + random.nextInt(Math.min(12, PAGES - first + 1)));
    }

    /// Against a bit for each page.
    @Test
    void knowsItsPagesAndWhatIsOutside() {
        for (int seed = 0; seed < 2_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            List<PageRange> ranges = new ArrayList<>();
            BitSet named = new BitSet(PAGES);
            for (int i = random.nextInt(8); i > 0; i--) {
                PageRange range = range(random);
                ranges.add(range);
                named.set((int) range.first(), (int) range.end());
            }
            PageSet set = PageSet.of(ranges);
            for (int page = 0; page < PAGES; page++) {
                assertThat(set.contains(page)).as("page=%d of %s, seed=%d", page, ranges, seed).isEqualTo(named.get(page));
            }
            PageRange asked = range(random);
            List<PageRange> expected = new ArrayList<>();
            for (int page = named.nextClearBit((int) asked.first()); page < asked.end(); ) {
                int next = named.nextSetBit(page);
                int end = next < 0 ? (int) asked.end() : Math.min(next, (int) asked.end());
                expected.add(new PageRange(page, end));
                page = named.nextClearBit(end);
            }
            assertThat(set.outside(asked)).as("%s without %s, seed=%d", asked, ranges, seed).isEqualTo(expected);
        }
    }
}
