package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.migrate.Steps;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
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
        try (Rig rig = Rig.open(1, false, builder -> builder.heap(ByteSize.mib(64)).budget(32L * Rig.PAGE).steps(steps))) {
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
}
