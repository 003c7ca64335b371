package io.github.hmm4j.space;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Ranges, page sizes and the memory behind them.
class RangesTest {

    @Test
    void rangesAreHalfOpen() {
        VaRange range = new VaRange(10, 20);
        assertThat(range.overlaps(new VaRange(20, 30))).isFalse();
        assertThat(range.overlaps(new VaRange(19, 30))).isTrue();
        assertThat(range.contains(new VaRange(10, 20))).isTrue();
        assertThat(range.contains(new VaRange(10, 21))).isFalse();
        PageRange pages = new PageRange(3, 5);
        assertThat(pages.count()).isEqualTo(2);
        assertThat(pages.contains(5)).isFalse();
        assertThat(pages.contains(4)).isTrue();
        assertThat(pages.overlaps(new PageRange(5, 6))).isFalse();
        assertThat(new PageRange(4, 4).isEmpty()).isTrue();
    }

    @Test
    void rangesNameWhatIsWrong() {
        assertThatThrownBy(() -> new VaRange(16, 15)).hasMessageContaining("startBytes=0x10").hasMessageContaining("endBytes=0xf");
        assertThatThrownBy(() -> new VaRange(-1, 15)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> VaRange.ofLength(5, Long.MAX_VALUE)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("lengthBytes=" + Long.MAX_VALUE);
        assertThatThrownBy(() -> VaRange.ofLength(5, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new PageRange(2, 1)).hasMessageContaining("first=2").hasMessageContaining("end=1");
    }

    @Test
    void pageSizesArePowersOfTwoWithinTheirBounds() {
        for (int bytes : new int[] {0, 1, 2048, 4095, 12288, 4 << 20, -4096}) {
            assertThatThrownBy(() -> new PageSize(bytes)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("pageSize=" + bytes);
        }
        for (int bytes = PageSize.MIN_BYTES; bytes <= PageSize.MAX_BYTES; bytes *= 2) {
            PageSize size = new PageSize(bytes);
            long far = (1L << 40) + bytes - 1;
            assertThat(size.pageOf(far)).isEqualTo((1L << 40) / bytes);
            assertThat(size.pagesFor(far)).isEqualTo((1L << 40) / bytes + 1);
            assertThat(size.offsetOf(size.pageOf(far))).isEqualTo(1L << 40);
            assertThat(size.isAligned(far)).isFalse();
            assertThat(size.pagesPerBlock() * bytes).isEqualTo(2 << 20);
        }
        assertThat(PageSize.DEFAULT).hasToString("64 KiB");
    }

    @Test
    void aPageIsAtLeastOneOfTheOperatingSystem() {
        PageSize small = new PageSize(4 << 10);
        assertThat(small.mappableInPagesOf(4 << 10)).isSameAs(small);
        assertThatThrownBy(() -> small.mappableInPagesOf(64 << 10)).isInstanceOf(IllegalArgumentException.class).hasMessage("pageSize=4096, must be at least 65536 here, a page of the operating system");
        assertThat(SystemCalls.pageBytes()).isIn(4 << 10, 16 << 10, 64 << 10);
    }

    @Test
    void releasedHostMemoryReadsAsZeros() {
        try (AddressSpace space = new AddressSpace(2 << 20, PageSize.DEFAULT)) {
            MemorySegment alias = space.host().alias();
            alias.fill((byte) 7);
            space.host().release(new PageRange(1, 3));
            assertThat(alias.get(JAVA_LONG, (64 << 10) - 8)).isNotZero();
            assertThat(alias.asSlice(64 << 10, 128 << 10).mismatch(MemorySegment.ofArray(new byte[128 << 10]))).isEqualTo(-1);
            assertThat(alias.get(JAVA_LONG, 192 << 10)).isNotZero();
            space.host().release(new PageRange(0, 0));
            assertThat(space.host().appAddressBytes() % (2 << 20)).isZero();
            assertThat(alias.address() % (2 << 20)).isZero();
        }
    }

    @Test
    void aLazyTableIsZeroEverywhereAndClosesTwice() {
        LazyTable table = new LazyTable(1L << 38);
        assertThat(table.segment().get(JAVA_LONG, (1L << 38) - 8)).isZero();
        table.segment().set(JAVA_LONG, 1L << 37, 5);
        assertThat(table.segment().get(JAVA_LONG, 1L << 37)).isEqualTo(5);
        table.close();
        table.close();
        assertThatThrownBy(() -> new LazyTable(0)).hasMessageContaining("lengthBytes=0");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, (5 << 20) + 1})
    void memoryInHugePagesIsLikeAnyOther(long lengthBytes) {
        LazyTable table = LazyTable.inHugePages(lengthBytes);
        assertThat(table.segment().byteSize()).isEqualTo(lengthBytes);
        table.segment().set(JAVA_BYTE, lengthBytes - 1, (byte) 5);
        assertThat(table.segment().get(JAVA_BYTE, lengthBytes - 1)).isEqualTo((byte) 5);
        assertThat(lengthBytes == 1 || table.segment().get(JAVA_BYTE, 0) == 0).isTrue();
        table.close();
    }

    /// A terabyte is reserved and not paid for.
    @Test
    void reservingATerabyteTakesHardlyAnyMemory() throws IOException {
        long before = residentBytes();
        try (AddressSpace space = new AddressSpace(1L << 40, new PageSize(PageSize.MIN_BYTES))) {
            space.allocate(1L << 39, 1);
            assertThat(space.pageCount()).isEqualTo(1L << 28);
            assertThat(residentBytes() - before).isLessThan(64L << 20);
        }
    }

    private static long residentBytes() throws IOException {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
    }
}
