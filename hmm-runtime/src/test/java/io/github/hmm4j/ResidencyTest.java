package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.hmm4j.migrate.Steps;
import io.github.hmm4j.mirror.Snapshot;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Where pages are while they are on their way: where they are valid.
class ResidencyTest {

    @Test
    void aSharedPageThatADeviceIsAboutToOwnIsShared() {
        List<Residency> seen = new ArrayList<>();
        AtomicReference<Runnable> look = new AtomicReference<>(() -> { });
        Steps steps = step -> {
            if (step == Steps.Step.CLAIMED) {
                look.get().run();
            }
        };
        try (Rig rig = Rig.open(1, builder -> builder.heap(ByteSize.mib(64)).budget(32L * Rig.PAGE).steps(steps))) {
            MemorySegment in = rig.filled(1, 5);
            rig.copy(rig.pages(1), in, 0).await();
            assertThat(rig.heap.residency(in).sharedBytes()).isEqualTo(Rig.PAGE);
            look.set(() -> seen.add(rig.heap.residency(in)));
            rig.add(in, 1, 0).await();
            assertThat(seen).hasSize(1);
            assertThat(seen.getFirst().sharedBytes()).isEqualTo(Rig.PAGE);
            assertThat(seen.getFirst().hostBytes()).isZero();
            assertThat(rig.heap.residency(in).onDevice(rig.device(0))).isEqualTo(Rig.PAGE);
        }
    }

    @Tag("two-devices")
    @Test
    void aDeviceOrAPageThatWasNotLookedAtIsNamed() {
        try (Rig rig = Rig.windows(1, 8); Rig other = Rig.windows(2, 8)) {
            MemorySegment in = rig.filled(2, 5);
            Residency residency = rig.heap.residency(in);
            assertThatIllegalArgumentException().isThrownBy(() -> residency.onDevice(other.device(1)))
                    .withMessageContaining("device=" + other.device(1)).withMessageContaining("devices=1");
            Snapshot snapshot = rig.heap.snapshot(in);
            for (long page : new long[] {-1, snapshot.pages().end(), Long.MAX_VALUE, Long.MIN_VALUE}) {
                assertThatIllegalArgumentException().isThrownBy(() -> snapshot.at(page))
                        .withMessageContaining("pageIndex=" + page);
            }
        }
    }

    @Test
    void aSizeThatNoLongHoldsIsNamed() {
        assertThat(ByteSize.gib((1L << 33) - 1)).isEqualTo(Long.MAX_VALUE - (1L << 30) + 1);
        assertThat(ByteSize.kib(-(1L << 53))).isEqualTo(Long.MIN_VALUE);
        assertThatIllegalArgumentException().isThrownBy(() -> ByteSize.gib(1L << 33))
                .withMessageContaining("count=8589934592 GiB");
        assertThatIllegalArgumentException().isThrownBy(() -> ByteSize.tib(Long.MAX_VALUE));
    }
}
