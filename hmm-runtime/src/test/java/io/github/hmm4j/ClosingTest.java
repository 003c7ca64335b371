package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.InvalidationKind;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What ends, and who hears of it.
class ClosingTest {

    @Test
    void mirrorsHearThatTheHeapCloses() {
        List<InvalidationKind> heard = new ArrayList<>();
        try (Hmm hmm = Hmm.builder().hostOnly().heap(ByteSize.mib(4)).open()) {
            MemorySegment a = hmm.heap().allocate(100);
            hmm.heap().mirror(a, new ReentrantLock(), event -> heard.add(event.kind()));
        }
        assertThat(heard).containsExactly(InvalidationKind.RELEASE);
    }

    /// Who opened it may have forgotten it, and closing would take as long as the launch may wait.
    @Test
    @Timeout(60)
    void aLaunchThatWaitsForAViewEndsWithTheHeap() {
        Hmm hmm = Hmm.builder().heap(ByteSize.mib(4)).launchTimeout(Duration.ofMinutes(10)).open();
        MemorySegment a = hmm.heap().allocate(400, 4);
        Kernel.Call fill = hmm.program(Source.resource("access.cl")).kernel("fill_ramp").args(a, 1, 1, 100);
        var _ = hmm.heap().sharedView(a, Access.WRITE);
        var launch = Background.call(() -> fill.launch(NDRange.of(100))).awaitWaiting();
        hmm.close();
        assertThatThrownBy(launch::join).isInstanceOf(IllegalStateException.class).hasMessage("the heap is closed");
    }

    @Test
    void aClosedProgramLaunchesNothingMore() {
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(4)).open()) {
            Program program = hmm.program(Source.resource("access.cl"));
            Kernel fill = program.kernel("fill_ramp");
            MemorySegment a = hmm.heap().allocate(400, 4);
            fill.args(a, 1, 1, 100).launch(NDRange.of(100)).await();
            program.close();
            program.close();
            assertThatThrownBy(() -> fill.args(a, 1, 1, 100).launch(NDRange.of(100))).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void choicesOfDevicesThatContradictAreRefused() {
        assertThatThrownBy(() -> Hmm.builder().hostOnly().device("0").open()).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("hostOnly=true");
    }

    @Test
    void aContextOfTheProgramIsOpenedWithTheHeapAndSurvivesIt() {
        var api = OpenClDevices.api(ClBinding.LWJGL);
        var id = io.github.hmm4j.device.opencl.ClPlatforms.devices(api).getFirst();
        long context = api.createContext(id.platform(), id.device());
        for (int round = 0; round < 2; round++) {
            try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(4)).context(api, context, id.device()).open()) {
                MemorySegment a = hmm.heap().allocate(400, 4);
                hmm.program(Source.resource("access.cl")).kernel("fill_ramp").args(a, 7, 0, 100).launch(NDRange.of(100)).await();
                try (var view = hmm.heap().view(a, Access.READ)) {
                    assertThat(view.segment().toArray(java.lang.foreign.ValueLayout.JAVA_INT)).containsOnly(7);
                }
            }
        }
        api.releaseContext(context);
    }
}
