package io.github.hmm4j.space;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressSpaceModelTest {

    private static final int PAGE = 4096;
    private static final long CAPACITY = 16L << 20;
    private static final Coloring COLORS = Coloring.of(128, 8 * (3L << 20));

    /// Random allocations, partial frees and recycling, against a list of what must be there.
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2})
    void keepsRegionsApartWhateverHappens(long salt) {
        long seed = System.nanoTime() + salt;
        SplittableRandom random = new SplittableRandom(seed);
        try (AddressSpace space = new AddressSpace(CAPACITY, new PageSize(PAGE), salt == 0 ? Coloring.NONE : COLORS)) {
            List<VaRange> model = new ArrayList<>();
            List<VaRange> waiting = new ArrayList<>(); // unmapped, not yet recycled
            Set<Integer> ids = new HashSet<>();
            for (int step = 0; step < 3000; step++) {
                switch (random.nextInt(5)) {
                    case 0, 1 -> allocate(space, random, model, waiting, ids);
                    case 2, 3 -> unmap(space, random, model, waiting);
                    default -> {
                        if (!waiting.isEmpty()) {
                            space.recycle(waiting.remove(random.nextInt(waiting.size())), random.nextBoolean(), null);
                        }
                    }
                }
                check(space, model, waiting, "seed=%d, step=%d".formatted(seed, step));
            }
            model.forEach(space::unmap);
            model.forEach(range -> space.recycle(range, false, null));
            waiting.forEach(range -> space.recycle(range, true, null));
            assertThat(space.usedBytes()).isZero();
            assertThat(space.allocate(space.capacityBytes(), 1).range().lengthBytes()).as("all holes merged, seed=%d", seed).isEqualTo(space.capacityBytes());
        }
    }

    private static void allocate(AddressSpace space, SplittableRandom random, List<VaRange> model, List<VaRange> waiting, Set<Integer> ids) {
        long length = 1 + random.nextInt(random.nextInt(8) == 0 ? 5 << 20 : 64 << 10);
        long alignment = 1L << random.nextInt(22);
        Region region;
        try {
            region = space.allocate(length, alignment);
        } catch (OutOfMemoryError e) {
            assertThat(e).hasMessageContaining("lengthBytes=" + length).hasMessageContaining("capacityBytes=" + space.capacityBytes());
            return;
        }
        VaRange range = region.range();
        long before = region.data().startBytes() - range.startBytes();
        assertThat(region.data().startBytes() % alignment).isZero();
        if (before > 0) {
            assertThat(length).as("is shifted by %d bytes", before).isBetween(2L << 20, 3L << 20);
            assertThat(before).matches(bytes -> bytes < PAGE && bytes % 128 == 0);
        }
        assertThat(range.lengthBytes()).isEqualTo(Math.ceilDiv(before + length, PAGE) * PAGE);
        assertThat(region.data().lengthBytes()).isEqualTo(length);
        assertThat(ids.add(region.id())).as("id %d is new", region.id()).isTrue();
        assertThat(model).noneMatch(range::overlaps);
        assertThat(waiting).as("not recycled yet").noneMatch(range::overlaps);
        model.add(range);
    }

    private static void unmap(AddressSpace space, SplittableRandom random, List<VaRange> model, List<VaRange> waiting) {
        if (model.isEmpty()) {
            return;
        }
        VaRange region = model.remove(random.nextInt(model.size()));
        long pages = region.lengthBytes() / PAGE;
        long first = random.nextLong(pages);
        long end = random.nextBoolean() ? pages : first + 1 + random.nextLong(pages - first);
        VaRange part = new VaRange(region.startBytes() + first * PAGE, region.startBytes() + end * PAGE);
        int id = space.regionOf(part).id();
        space.unmap(part);
        waiting.add(part);
        if (first > 0) {
            model.add(new VaRange(region.startBytes(), part.startBytes()));
            assertThat(space.regionOf(model.getLast()).id()).isEqualTo(id);
        }
        if (end < pages) {
            model.add(new VaRange(part.endBytes(), region.endBytes()));
            assertThat(space.regionOf(model.getLast()).id()).isNotEqualTo(id);
        }
        assertThat(space.regionAt(part.startBytes())).isEmpty();
    }

    /// Pages before which native code stops fetching ahead.
    private static Set<Long> marked(AddressSpace space) {
        MemorySegment marks = MemorySegment.ofAddress(space.regionStartsAddressBytes()).reinterpret(space.pageCount());
        return LongStream.range(0, space.pageCount()).filter(page -> marks.get(JAVA_BYTE, page) != 0).boxed().collect(Collectors.toSet());
    }

    private static void check(AddressSpace space, List<VaRange> model, List<VaRange> waiting, String what) {
        Set<Long> boundaries = new HashSet<>();
        model.forEach(range -> boundaries.addAll(List.of(space.pageOf(range.startBytes()), space.pageOf(range.endBytes()))));
        boundaries.remove(space.pageCount());
        assertThat(marked(space)).as(what).isEqualTo(boundaries);
        assertThat(space.regions()).as(what).hasSameSizeAs(model);
        for (VaRange range : model) {
            assertThat(space.regionOf(range).range()).as(what).isEqualTo(range);
            VaRange data = space.regionOf(range).data();
            assertThat(data.startBytes()).as(what).isBetween(range.startBytes(), range.startBytes() + PAGE - 1);
            assertThat(data.endBytes()).as(what).isBetween(range.endBytes() - PAGE + 1, range.endBytes());
            assertThat(space.regionAt(range.endBytes() - 1)).as(what).isPresent();
        }
        long bytes = 0;
        for (VaRange range : model) {
            bytes += range.lengthBytes();
        }
        for (VaRange range : waiting) {
            bytes += range.lengthBytes();
        }
        assertThat(space.usedBytes()).as(what).isEqualTo(bytes);
    }

    @Test
    void namesWhatItRefuses() {
        assertThatThrownBy(() -> new AddressSpace(0, PageSize.DEFAULT)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("capacityBytes=0");
        try (AddressSpace space = new AddressSpace(1, new PageSize(PAGE))) {
            assertThat(space.capacityBytes()).isEqualTo(2 << 20);
            assertThatThrownBy(() -> space.allocate(-1, 1)).hasMessageContaining("lengthBytes=-1");
            assertThatThrownBy(() -> space.allocate(1, 3)).hasMessageContaining("alignmentBytes=3");
            assertThatThrownBy(() -> space.allocate(1, 4L << 20)).hasMessageContaining("alignmentBytes=4194304");
            assertThatThrownBy(() -> space.allocate(Long.MAX_VALUE, 1)).isInstanceOf(OutOfMemoryError.class)
                    .hasMessageContaining("largestFreeBytes=2097152");
            Region region = space.allocate(3 * PAGE, 1);
            VaRange crooked = VaRange.ofLength(region.range().startBytes() + 1, PAGE);
            assertThatThrownBy(() -> space.unmap(crooked)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(crooked.toString()).hasMessageContaining("pageSize=4096");
            VaRange outside = VaRange.ofLength(region.range().startBytes(), 4 * PAGE);
            assertThatThrownBy(() -> space.regionOf(outside)).hasMessageContaining(outside.toString()).hasMessageContaining(region.range().toString());
            assertThatThrownBy(() -> space.regionOf(VaRange.ofLength(region.range().startBytes(), 0))).isInstanceOf(IllegalArgumentException.class);
            assertThat(space.regions()).containsExactly(region);
        }
    }

    @Test
    void convertsBetweenAddressesAndPages() {
        try (AddressSpace space = new AddressSpace(CAPACITY, new PageSize(PAGE))) {
            Region region = space.allocate(4 * PAGE - 100, 1);
            VaRange range = VaRange.ofLength(space.baseBytes() + 100, 2L * PAGE);
            assertThat(space.pagesOf(range)).isEqualTo(new PageRange(0, 3));
            assertThat(space.wholePagesOf(range)).isEqualTo(new PageRange(1, 2));
            assertThat(space.wholePagesOf(VaRange.ofLength(space.baseBytes() + 1, PAGE)).isEmpty()).isTrue();
            assertThat(space.wholePagesOf(region.data())).as("nothing else is in the last").isEqualTo(new PageRange(0, 4));
            assertThat(space.wholePagesOf(VaRange.ofLength(space.baseBytes() + 1, 3L * PAGE))).isEqualTo(new PageRange(1, 3));
            assertThat(space.pageOf(space.addressOf(77))).isEqualTo(77);
            assertThat(space.addressesOf(new PageRange(1, 3))).isEqualTo(VaRange.ofLength(space.baseBytes() + PAGE, 2L * PAGE));
            assertThat(space.aliasAddressOf(space.baseBytes() + 5)).isEqualTo(space.host().alias().address() + 5);
        }
    }
}
