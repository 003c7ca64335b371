package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.transparent.DevicePages.Way;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Code that was written for ordinary memory, on managed memory whose pages are on the device: it finds and leaves the same bytes.
class UnmodifiedCodeTest {

    private static final int SIZE = 1 << 20;
    private static final Map<Mode, DevicePages> HEAPS = new EnumMap<>(Mode.class);

    @AfterAll
    static void close() {
        HEAPS.values().forEach(DevicePages::close);
    }

    static Stream<Arguments> codeOnEachRung() {
        return LibraryCode.all().stream().flatMap(code -> Stream.of(Mode.UFFD, Mode.SIGSEGV)
                .flatMap(mode -> Stream.of(Way.values()).map(way -> Arguments.of(code, mode, way))));
    }

    @ParameterizedTest
    @MethodSource("codeOnEachRung")
    void doesWhatItDoesOnOrdinaryMemory(Code code, Mode mode, Way way) throws Throwable {
        DevicePages pages = HEAPS.computeIfAbsent(mode, DevicePages::new);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ordinary = halfCompressible(arena);
            MemorySegment managed = pages.holding(ordinary, way);
            long fetched = pages.fetched();

            Object expected = code.body().run(shared(ordinary));
            assertThat(code.body().run(managed)).isEqualTo(expected);
            assertThat(pages.fetched()).as("pages that faults brought home").isGreaterThan(fetched);
            assertThat(managed.mismatch(ordinary)).as("first byte that differs").isEqualTo(-1);
            pages.heap().free(managed);
        }
    }

    /// The same bytes for code that works on several threads.
    private static MemorySegment shared(MemorySegment segment) {
        return MemorySegment.ofAddress(segment.address()).reinterpret(segment.byteSize());
    }

    /// Text-like bytes with noise in between, the same each time; compressors get them down to less than half.
    private static MemorySegment halfCompressible(Arena arena) {
        MemorySegment segment = arena.allocate(SIZE, Long.BYTES);
        SplittableRandom random = new SplittableRandom(5);
        for (long i = 0; i < SIZE; i++) {
            segment.set(JAVA_BYTE, i, (byte) (i % 7 == 0 ? random.nextInt() : 'a' + i % 13));
        }
        return segment;
    }
}
