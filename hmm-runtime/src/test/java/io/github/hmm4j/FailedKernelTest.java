package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.error.PagePoisonedException;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What a kernel should have written that failed: nobody is given it as if it had. Whether anybody awaits the kernel does not matter.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
final class FailedKernelTest {

    private enum Kind { WINDOWS, APERTURE }

    private static Stream<Kind> kinds() {
        return Stream.of(Kind.values());
    }

    private static Rig rig(Kind kind) {
        return switch (kind) {
            case WINDOWS -> Rig.gpuWindows(1, 32);
            case APERTURE -> Rig.gpuAperture(1);
        };
    }

    /// Four pages of fives on the device, so that the next thing to be waited for is a kernel.
    private static MemorySegment onDevice(Rig rig) {
        MemorySegment a = rig.filled(4, 5);
        rig.add(a, 0, 0).await();
        return a;
    }

    private static void assertPoisoned(Rig rig, MemorySegment segment) {
        assertThatThrownBy(() -> rig.read(segment)).isInstanceOf(PagePoisonedException.class)
                .hasMessageContainingAll("address=0x", "kernel=", "CL_", "device=" + rig.deviceName(0));
        assertThatThrownBy(() -> rig.write(segment, 1)).isInstanceOf(PagePoisonedException.class);
        assertThatThrownBy(() -> rig.add(segment, 1, 0)).isInstanceOf(PagePoisonedException.class).hasMessageContaining("kernel=");
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void poisonsWhatItWasToWriteAndNothingElse(Kind kind) {
        try (Rig rig = rig(kind)) {
            MemorySegment out = rig.filled(4, 5);
            MemorySegment in = rig.filled(4, 6);
            rig.copy(out, in, 0).await();
            rig.gpu().failEnd(Call.LAUNCH, 1);
            rig.copy(out, in, 0); // nobody awaits it
            assertPoisoned(rig, Rig.page(out, 2));
            assertThat(rig.values(in)).containsExactly(6);
            assertThat(rig.count(Counter.POISONED_PAGES)).isEqualTo(4);
            assertThat(rig.heap.residency(out).poisonedBytes()).isEqualTo(4L * Rig.PAGE);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void poisonsAlsoWhenItIsAwaited(Kind kind) {
        try (Rig rig = rig(kind)) {
            MemorySegment a = onDevice(rig);
            rig.gpu().failEnd(Call.LAUNCH, 1);
            Launch launch = rig.add(a, 1, 0);
            assertThatThrownBy(launch::await).isInstanceOf(OpenClFailedException.class).hasMessageContaining("kernel=add");
            assertThat(rig.heap.residency(a).poisonedBytes()).isEqualTo(4L * Rig.PAGE);
            assertPoisoned(rig, a);
        }
    }

    /// The next launch on such pages, not a touch, is the first to hear of it.
    @ParameterizedTest
    @MethodSource("kinds")
    void isToldToTheNextLaunch(Kind kind) {
        try (Rig rig = rig(kind)) {
            MemorySegment a = onDevice(rig);
            rig.gpu().failEnd(Call.LAUNCH, 1);
            Launch launch = rig.add(a, 1, 0);
            while (!launch.isDone()) {
                Thread.onSpinWait();
            }
            assertThatThrownBy(() -> rig.add(a, 1, 0)).isInstanceOf(PagePoisonedException.class);
        }
    }

    /// Who has the pages claimed while the kernel runs waits for it, and then has nothing.
    @ParameterizedTest
    @MethodSource("kinds")
    void mayFailUnderAViewThatWaitsForIt(Kind kind) {
        try (Rig rig = rig(kind)) {
            MemorySegment a = onDevice(rig);
            rig.gpu().hold(Engine.COMPUTE);
            rig.gpu().failEnd(Call.LAUNCH, 1);
            rig.add(Rig.page(a, 1), 1, 0);
            Background<int[]> view = Background.call(() -> rig.read(a));
            view.awaitWaiting();
            rig.gpu().resume(Engine.COMPUTE);
            assertThatThrownBy(view::join).isInstanceOf(PagePoisonedException.class);
            assertPoisoned(rig, Rig.page(a, 1));
            assertThat(rig.values(Rig.page(a, 0))).containsExactly(5);
            assertThat(rig.values(Rig.pages(a, 2, 2))).containsExactly(5);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void isForgottenWhenTheContentsAreGivenUp(Kind kind) {
        try (Rig rig = rig(kind)) {
            MemorySegment a = onDevice(rig);
            rig.gpu().failEnd(Call.LAUNCH, 1);
            assertThatThrownBy(rig.add(a, 1, 0)::await).isInstanceOf(OpenClFailedException.class);
            rig.heap.discard(a);
            assertThat(rig.values(a)).containsExactly(0);
            rig.add(a, 3, 0).await();
            assertThat(rig.values(a)).containsExactly(3);
        }
    }
}
