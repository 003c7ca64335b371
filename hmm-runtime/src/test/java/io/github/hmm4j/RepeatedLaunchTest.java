package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.emulated.Engine;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// A launch that was made before makes no part of a buffer, and gives none back: a driver need not bear that beside commands on the whole (POCL 7.1 does not).
@Tag("emulated-gpu")
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class RepeatedLaunchTest {

    private static final int ROUNDS = 4;
    private static final int PAGES = 300; // of which every second is as many as it takes until kernels carry what lies apart, in two rounds

    private static final int PLACES = 256; // of launches in flight

    /// Native code keeps the event of a launch until its place is wanted again, and how many places are used depends on when it is found out that kernels have ended: once all have been used, each has an event for good.
    private static void useAllPlaces(Rig rig, MemorySegment page) {
        rig.add(page, 0, 0).await();
        rig.gpu().hold(Engine.COMPUTE);
        for (int i = 1; i < PLACES; i++) {
            rig.add(page, 0, 0);
        }
        Launch last = rig.add(page, 0, 0);
        rig.gpu().resume(Engine.COMPUTE);
        last.await();
    }

    /// @param all     pages that are used
    /// @param kernels that have to run in each round, at least
    private static void makesNoParts(Rig rig, MemorySegment all, int kernels, Background.Action round) throws Exception {
        useAllPlaces(rig, Rig.page(all, 0));
        for (int i = 0; i < ROUNDS; i++) {
            round.run();
        }
        EmulatedGpu gpu = rig.gpu();
        long parts = gpu.calls(Call.CREATE_SUB_BUFFER);
        long launches = gpu.calls(Call.LAUNCH);
        long objects = EmulatedGpu.openObjects();
        for (int i = 0; i < ROUNDS; i++) {
            round.run();
        }
        assertThat(gpu.calls(Call.CREATE_SUB_BUFFER)).as("parts of buffers").isEqualTo(parts);
        assertThat(EmulatedGpu.openObjects()).as("objects").isEqualTo(objects);
        assertThat(gpu.calls(Call.LAUNCH) - launches).as("kernels").isGreaterThanOrEqualTo((long) ROUNDS * kernels);
    }

    /// A kernel changes all pages, then the host every second one.
    private static void changeInTurns(Rig rig, MemorySegment all) {
        rig.add(all, 1, 0).await();
        for (int page = 0; page < PAGES; page += 2) {
            rig.write(Rig.page(all, page), 7);
        }
    }

    @Test
    void ofWhatIsThere() throws Exception {
        try (Rig rig = Rig.gpuWindows(1, 16)) {
            MemorySegment all = rig.filled(8, 0);
            makesNoParts(rig, all, 4, () -> {
                rig.add(all, 1, 0).await();
                rig.add(Rig.pages(all, 2, 3), 1, 0).await();
                rig.add(Rig.page(all, 7).asSlice(512), 1, 0).await(); // where a pointer can start
                rig.add(Rig.page(all, 7).asSlice(4), 1, 0).await(); // where none can: it gets a copy
            });
            assertThat(rig.values(Rig.page(all, 0))).containsExactly(2 * ROUNDS);
            assertThat(rig.values(Rig.pages(all, 2, 3))).containsExactly(4 * ROUNDS);
            assertThat(rig.values(Rig.page(all, 7))).containsExactly(2 * ROUNDS, 4 * ROUNDS, 6 * ROUNDS);
        }
    }

    /// Every second page has been changed by the host, and goes by a kernel of ours.
    @Test
    void ofWhatComesInPieces() throws Exception {
        System.setProperty("hmm.scatter", "kernel");
        try (Rig rig = Rig.gpuWindows(1, PAGES + 16)) {
            MemorySegment all = rig.filled(PAGES, 0);
            makesNoParts(rig, all, 1 + PAGES / 2 / 64, () -> changeInTurns(rig, all));
            rig.add(all, 1, 0).await();
            assertThat(rig.values(Rig.page(all, 0))).containsExactly(8);
            assertThat(rig.values(Rig.page(all, 1))).containsExactly(2 * ROUNDS + 1);
        } finally {
            System.clearProperty("hmm.scatter");
        }
    }

    /// Every second page is there when the host wants all, and comes home by a kernel of ours.
    @Test
    void ofWhatGoesInPieces() throws Exception {
        System.setProperty("hmm.scatter", "kernel");
        try (Rig rig = Rig.gpuWindows(1, PAGES + 16)) {
            MemorySegment all = rig.filled(PAGES, 0);
            makesNoParts(rig, all, 1 + PAGES / 2 / 64, () -> {
                changeInTurns(rig, all);
                rig.heap.prefetchHost(all);
            });
            assertThat(rig.values(Rig.page(all, 0))).containsExactly(7);
            assertThat(rig.values(Rig.page(all, 1))).containsExactly(2 * ROUNDS);
        } finally {
            System.clearProperty("hmm.scatter");
        }
    }

    @Test
    void ofAKernelThatPages() throws Exception {
        try (Rig rig = Rig.gpuWindows(1, 16)) {
            Kernel bump = rig.bumpPages();
            MemorySegment all = rig.filled(32, 0);
            makesNoParts(rig, all, 2, () -> bump.args(Arg.heap(Arg.inOut(all)), all.address(), (long) Rig.PAGE).launch(NDRange.of(32).local(1)).await());
            for (int page = 0; page < 32; page++) {
                assertThat(rig.read(Rig.page(all, page))[0]).isEqualTo(2 * ROUNDS);
            }
        }
    }
}
