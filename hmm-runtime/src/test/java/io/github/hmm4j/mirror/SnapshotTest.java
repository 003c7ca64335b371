package io.github.hmm4j.mirror;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.Protection;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What each state looks like under each protection, from the device itself, from another and from the host.
class SnapshotTest {

    private static final int HOST = -1;

    private static List<SnapshotCode> codes(Protection protection, int from) {
        PageSize size = new PageSize(4096);
        try (AddressSpace space = new AddressSpace(2 << 20, size); PageTable table = new PageTable(space.pageCount(), size)) {
            space.allocate(9L * 4096, 1);
            for (int page = 0; page < 9; page++) {
                table.transition(page, Transition.PROTECT, table.word(page), PageWord.withProtection(table.word(page), protection));
            }
            table.transition(1, Transition.MARK_READ, table.word(1), PageWord.toEmptyMarkedRead(table.word(1)));
            own(table, 2, 0);
            own(table, 3, 1);
            table.transition(4, Transition.FIRST_TOUCH, table.word(4), PageWord.toHost(table.word(4)));
            share(table, 5, 0);
            claim(table, 6, 0);
            own(table, 7, 0);
            table.transition(7, Transition.CLAIM_FOR_HOST, table.word(7), PageWord.toClaimedForHost(table.word(7), false));
            own(table, 8, 0);
            table.transition(8, Transition.POISON, table.word(8), PageWord.toPoisoned(table.word(8)));
            return Snapshot.take(space, table, from, new PageRange(0, 10), (_, page, _) -> page + 1).codes();
        }
    }

    private static void claim(PageTable table, int page, int device) {
        long word = table.word(page);
        table.transition(page, Transition.CLAIM_FOR_DEVICE, word, PageWord.toClaimedForDevice(word, device, true));
    }

    private static void own(PageTable table, int page, int device) {
        claim(table, page, device);
        table.transition(page, Transition.COMMIT_DEVICE, table.word(page), PageWord.toDevice(table.word(page), device));
    }

    private static void share(PageTable table, int page, int device) {
        claim(table, page, device);
        table.transition(page, Transition.COMMIT_SHARED, table.word(page), PageWord.toShared(table.word(page), 1 << device));
    }

    /// Pages: empty, empty and read, device 0, device 1, host, shared, to device, to host, poisoned, no region.
    private static final SnapshotCode[][] EXPECTED = {
        {SnapshotCode.NONE, SnapshotCode.ZERO_READ, SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE, SnapshotCode.NONE,
            SnapshotCode.WRITE, SnapshotCode.READ, SnapshotCode.NONE, SnapshotCode.NONE, SnapshotCode.ERROR, SnapshotCode.ERROR},
        {SnapshotCode.NONE, SnapshotCode.ZERO_READ, SnapshotCode.NONE, SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE,
            SnapshotCode.WRITE, SnapshotCode.READ, SnapshotCode.NONE, SnapshotCode.NONE, SnapshotCode.ERROR, SnapshotCode.ERROR},
        {SnapshotCode.NONE, SnapshotCode.ZERO_READ, SnapshotCode.DEVICE_PRIVATE_LOCAL_READ, SnapshotCode.NONE,
            SnapshotCode.READ, SnapshotCode.READ, SnapshotCode.NONE, SnapshotCode.NONE, SnapshotCode.ERROR, SnapshotCode.ERROR},
        {SnapshotCode.NONE, SnapshotCode.ZERO_READ, SnapshotCode.NONE, SnapshotCode.DEVICE_PRIVATE_LOCAL_READ,
            SnapshotCode.READ, SnapshotCode.READ, SnapshotCode.NONE, SnapshotCode.NONE, SnapshotCode.ERROR, SnapshotCode.ERROR},
    };

    @Test
    void everyStateLooksAsTheKernelWouldShowIt() {
        assertThat(codes(Protection.READ_WRITE, 0)).containsExactly(EXPECTED[0]);
        assertThat(codes(Protection.READ_WRITE, 1)).containsExactly(EXPECTED[1]);
        assertThat(codes(Protection.READ, 0)).containsExactly(EXPECTED[2]);
        assertThat(codes(Protection.READ, 1)).containsExactly(EXPECTED[3]);
    }

    @Test
    void everyDeviceIsRemoteToTheHost() {
        List<SnapshotCode> codes = codes(Protection.READ_WRITE, HOST);
        assertThat(codes.get(2)).isEqualTo(SnapshotCode.NONE);
        assertThat(codes.get(3)).isEqualTo(SnapshotCode.NONE);
    }

    @Test
    void nothingIsToBeSeenOfWhatMayNotBeRead() {
        assertThat(codes(Protection.NONE, 0).subList(0, 9)).containsOnly(SnapshotCode.ERROR);
    }

    @Test
    void codesAreTheKernelsBytes() {
        for (SnapshotCode code : SnapshotCode.values()) {
            assertThat(SnapshotCode.of((byte) code.code())).isEqualTo(code);
        }
        assertThat(SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE.code()).isEqualTo(0x22);
        assertThatThrownBy(() -> SnapshotCode.of((byte) 0x7f)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("0x7f");
    }
}
