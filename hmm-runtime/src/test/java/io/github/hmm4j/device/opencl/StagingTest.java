package io.github.hmm4j.device.opencl;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.HostRange;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The host side of the staged engine, without a device.
final class StagingTest {

    @ParameterizedTest
    @CsvSource({"1, 4096", "1, 4097", "5, 8192", "40, 10000", "3, 1"})
    void cutsRunsIntoFullSlots(int count, long slotBytes) {
        var random = new SplittableRandom(count);
        List<CopyRun> runs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            runs.add(new CopyRun(1_000_000L * i, null, 500_000L * i, 1 + random.nextInt(slotBytes == 1 ? 9 : 30_000)));
        }
        List<List<StagedPiece>> slots = StagedPiece.cut(runs, slotBytes);
        List<StagedPiece> pieces = slots.stream().flatMap(List::stream).toList();
        assertThat(pieces.stream().mapToLong(StagedPiece::lengthBytes).sum())
                .isEqualTo(runs.stream().mapToLong(CopyRun::lengthBytes).sum());
        for (int s = 0; s < slots.size(); s++) {
            long used = 0;
            for (StagedPiece piece : slots.get(s)) {
                assertThat(piece.slotOffsetBytes()).isEqualTo(used);
                assertThat(piece.offsetBytes() % 500_000).isEqualTo(piece.hostAddressBytes() % 1_000_000);
                used += piece.lengthBytes();
            }
            assertThat(used).isBetween(s < slots.size() - 1 ? slotBytes : 1, slotBytes);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void severalThreadsCopyEveryByteOnce(int threads) {
        int slotBytes = 4 << 20;
        try (var host = new HostRange(3L * slotBytes);
                var slot = new HostRange(slotBytes);
                var copier = new HostCopier(threads)) {
            host.fillRandomly(new SplittableRandom(threads));
            List<StagedPiece> pieces = List.of(
                    piece(host, 5, 0, 1_000_001), piece(host, 8 << 20, 1_000_001, 3_000_000),
                            piece(host, 4 << 20, 4_000_001, 7));
            copier.gather(pieces, slot.addressBytes());
            for (StagedPiece piece : pieces) {
                assertThat(inHost(host, piece).mismatch(inSlot(slot, piece))).isEqualTo(-1);
            }
            for (StagedPiece piece : pieces) {
                inHost(host, piece).fill((byte) 0);
            }
            byte before = host.bytes().get(JAVA_BYTE, 4);
            copier.scatter(pieces, slot.addressBytes());
            for (StagedPiece piece : pieces) {
                assertThat(inHost(host, piece).mismatch(inSlot(slot, piece))).isEqualTo(-1);
            }
            assertThat(host.bytes().get(JAVA_BYTE, 4)).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "5", "many", ""})
    void theSettingSaysHowManyThreads(String refused) {
        String before = System.getProperty("hmm.copyThreads");
        try {
            System.setProperty("hmm.copyThreads", "3");
            assertThat(CopyEngine.threads()).isEqualTo(3);
            System.setProperty("hmm.copyThreads", refused);
            assertThatIllegalArgumentException().isThrownBy(CopyEngine::threads).withMessage("hmm.copyThreads=" + refused + ", must be from 1 to 4");
            System.clearProperty("hmm.copyThreads");
            assertThat(CopyEngine.threads()).isBetween(1, 4);
        } finally {
            if (before != null) {
                System.setProperty("hmm.copyThreads", before);
            }
        }
    }

    private static StagedPiece piece(HostRange host, long hostOffset, long slotOffset, long bytes) {
        return new StagedPiece(host.addressBytes() + hostOffset, null, 0, slotOffset, bytes);
    }

    private static MemorySegment inHost(HostRange host, StagedPiece piece) {
        return host.bytes().asSlice(piece.hostAddressBytes() - host.addressBytes(), piece.lengthBytes());
    }

    private static MemorySegment inSlot(HostRange slot, StagedPiece piece) {
        return slot.bytes().asSlice(piece.slotOffsetBytes(), piece.lengthBytes());
    }
}
