package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.emulated.Engine;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// Closing a heap whose device is at work.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class ClosingAgainstWorkTest {

    @Test
    void close_while_copying() {
        try (Rig rig = Rig.gpuWindows(1, 16)) {
            MemorySegment a = rig.filled(8, 1);
            long before = rig.gpu().submitted(Engine.TO_DEVICE);
            rig.gpu().hold(Engine.TO_DEVICE);
            Background<Boolean> prefetch = Background.run(() -> rig.heap.prefetch(a, rig.device(0)));
            rig.gpu().awaitSubmitted(Engine.TO_DEVICE, before + 1);
            Background<Boolean> close = Background.run(rig.hmm::close).awaitWaiting();
            assertThatThrownBy(() -> rig.heap.allocate(1, 1)).isInstanceOf(IllegalStateException.class); // at once, not behind the one who closes
            rig.gpu().resume(Engine.TO_DEVICE);
            prefetch.join();
            close.join();
        }
    }

    @Test
    void close_while_kernel_runs() {
        try (Rig rig = Rig.gpuWindows(1, 16)) {
            MemorySegment a = rig.filled(1, 1);
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.add(a, 1, 0);
            Background<Boolean> close = Background.run(rig.hmm::close).awaitWaiting();
            assertThat(launch.isDone()).isFalse();
            rig.gpu().resume(Engine.COMPUTE);
            close.join();
            assertThat(launch.isDone()).isTrue();
        }
    }
}
