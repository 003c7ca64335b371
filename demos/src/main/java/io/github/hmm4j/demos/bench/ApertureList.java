package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/// Lists whose items lie in random order: followed as heap addresses, on a device that has room for the whole heap, and as indices into one array.
final class ApertureList {
    static final int ITEM_BYTES = 16;
    /// Items of one list.
    static final int LENGTH = 256;

    private static final Source INDEXED = Source.text("sum_indexed.cl", """
        struct item {
            ulong next;
            long value;
        };

        kernel void sum_indexed(global const struct item *items, global const ulong *lists, global long *sums) {
            long sum = 0;
            for (ulong at = lists[get_global_id(0)]; at != 0; ) {
                global const struct item *item = &items[at];
                sum += item->value;
                at = item->next;
            }
            sums[get_global_id(0)] = sum;
        }
        """);
    private static final long SEED = 11;

    private final Hmm hmm;
    private final PagedBench.Sizes sizes;
    private final Progress progress;
    private final int lists;

    ApertureList(Hmm hmm, PagedBench.Sizes sizes, Progress progress) {
        if (!hmm.device().hasAperture()) {
            throw new IllegalStateException("the device has no room for the whole heap: " + hmm.device());
        }
        this.hmm = hmm;
        this.sizes = sizes;
        this.progress = progress;
        lists = sizes.listItems() / LENGTH;
    }

    BenchRow row() throws Exception {
        String name = "aperture.list";
        progress.step(name);
        int[] places = shuffled(lists * LENGTH);
        MemorySegment linked = hmm.heap().allocate((places.length + 1L) * ITEM_BYTES, ITEM_BYTES);
        MemorySegment indexed = hmm.heap().allocate((places.length + 1L) * ITEM_BYTES, ITEM_BYTES);
        MemorySegment linkedSums = hmm.heap().allocate(JAVA_LONG, lists);
        MemorySegment indexedSums = hmm.heap().allocate(JAVA_LONG, lists);
        MemorySegment linkedHeads = build(linked, places, linked.address(), ITEM_BYTES);
        MemorySegment indexedHeads = build(indexed, places, 0, 1);
        Kernel.Call follow = hmm.program(Source.resource("paged.cl")).kernel("sum_lists").args(Arg.heap(Arg.in(linked)), linkedHeads, Arg.out(linkedSums));
        Kernel.Call index = hmm.program(INDEXED).kernel("sum_indexed").args(indexed, indexedHeads, Arg.out(indexedSums));
        NDRange range = NDRange.of(lists);
        follow.launch(range).await();
        index.launch(range).await();
        Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress, () -> millis(follow, range), () -> millis(index, range));
        requireSums(places, linkedSums);
        requireSums(places, indexedSums);
        Samples ratio = turns.ratio();
        return Subject.rows(hmm).ratio(name, turns.ours().median(), "ms", ratio, "the same lists as indices into an array", Map.of("items", (long) places.length, "lists", (long) lists,
            "indexedNanos", Math.round(turns.theirs().median() * 1e6), "pageSizeBytes", (long) hmm.heap().pageSize().bytes()), Target.atMost(ratio.median(), 1.02));
    }

    private static int[] shuffled(int count) {
        int[] places = new int[count];
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < count; i++) {
            int other = random.nextInt(i + 1);
            places[i] = places[other];
            places[other] = i;
        }
        return places;
    }

    /// Item `k` of list `l` lies at place `1 + places[l * LENGTH + k]` and has that number as its value; place 0 is null. Returns the places of the first items.
    ///
    /// @param base of place 0 as the links count it, `step` from one to the next
    private MemorySegment build(MemorySegment items, int[] places, long base, long step) {
        MemorySegment heads = hmm.heap().allocate(JAVA_LONG, lists);
        try (HostView view = hmm.heap().view(items, Access.WRITE); HostView first = hmm.heap().view(heads, Access.WRITE)) {
            for (int i = 0; i < places.length; i++) {
                long at = 2L * (1 + places[i]);
                boolean last = i % LENGTH == LENGTH - 1;
                view.segment().setAtIndex(JAVA_LONG, at, last ? 0 : base + step * (1 + places[i + 1]));
                view.segment().setAtIndex(JAVA_LONG, at + 1, places[i]);
                if (i % LENGTH == 0) {
                    first.segment().setAtIndex(JAVA_LONG, i / LENGTH, base + step * (1 + places[i]));
                }
            }
        }
        return heads;
    }

    private static double millis(Kernel.Call call, NDRange range) {
        long start = System.nanoTime();
        Launch launch = call.launch(range).await();
        double millis = (System.nanoTime() - start) / 1e6;
        if (launch.moves().pagesMoved() != 0) {
            throw new IllegalStateException("a launch on resident data moved something: " + launch.moves());
        }
        return millis;
    }

    private void requireSums(int[] places, MemorySegment sums) {
        try (HostView view = hmm.heap().view(sums, Access.READ)) {
            for (int l = 0; l < lists; l++) {
                long expected = 0;
                for (int k = 0; k < LENGTH; k++) {
                    expected += places[l * LENGTH + k];
                }
                long found = view.segment().getAtIndex(JAVA_LONG, l);
                if (found != expected) {
                    throw new IllegalStateException(String.format(Locale.ROOT, "list %d: sum=%d, expected=%d",
                        l, found, expected));
                }
            }
        }
    }
}
