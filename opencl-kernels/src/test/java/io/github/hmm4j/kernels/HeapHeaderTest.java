package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// hmm.clh with a heap that the kernel writes; tree.cl covers the one it only reads.
final class HeapHeaderTest {

    private static final long[] BASES = {0x7f00_0000_0000L, 0x20_0000L, 0xffff_8000_0000_0000L};

    @Test
    void listsAreReversedThroughTheirOwnPointers() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (long base : BASES) {
                    check(cl, base, random.nextInt(1, 50), random.nextInt(1, 2000), random);
                }
            }
        });
    }

    /// `items` items in random places, dealt out to `lists` lists; each list holds its values in rising order.
    static void check(ClHarness cl, long base, int lists, int items, SplittableRandom random) {
        long[] image = new long[2 * items];
        List<List<Long>> expected = IntStream.range(0, lists).<List<Long>>mapToObj(_ -> new ArrayList<>()).toList();
        long[] head = new long[lists];
        int[] places = places(items, random);
        for (int value = items - 1; value >= 0; value--) {
            int list = random.nextInt(lists);
            int at = places[value];
            image[2 * at] = head[list];
            image[2 * at + 1] = value;
            head[list] = base + 16L * at;
            expected.get(list).add((long) value);
        }
        ClHarness.Buffer heap = cl.longs(image);
        ClHarness.Buffer heads = cl.longs(head);
        cl.build(Source.resource("heap/lists.cl")).kernel("reverse_lists").args(heap, base, heads, lists)
                .runOver(lists, 16);
        long[] after = heap.toLongs();
        long[] headAfter = heads.toLongs();
        for (int i = 0; i < lists; i++) {
            assertThat(values(after, base, headAfter[i])).as("list %d, base=%#x", i, base).isEqualTo(expected.get(i));
        }
    }

    private static List<Long> values(long[] image, long base, long head) {
        List<Long> values = new ArrayList<>();
        for (long at = head; at != 0 && values.size() <= image.length; ) {
            int index = Math.toIntExact((at - base) / 8);
            values.add(image[index + 1]);
            at = image[index];
        }
        return values;
    }

    private static int[] places(int count, SplittableRandom random) {
        int[] places = IntStream.range(0, count).toArray();
        for (int i = count - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swap = places[i];
            places[i] = places[j];
            places[j] = swap;
        }
        return places;
    }
}
