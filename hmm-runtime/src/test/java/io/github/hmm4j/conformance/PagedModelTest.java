package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Random kernels through the device's page table, one after the other, on a few pages of budget: each finds what the one before has left there, and its rounds take that away and bring it back. [ModelTest] has such
/// kernels among much else, and what goes wrong only then is rare there.
///
/// `-Dhmm.seed=N` repeats a run that failed, `-Dhmm.steps=F` makes all runs F times as long.
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class PagedModelTest {

    private static final long SEED = Long.getLong("hmm.seed", System.nanoTime());
    private static final int STEPS = 800 * Integer.getInteger("hmm.steps", 1);
    private static final int PAGE = 4096;
    private static final int REGIONS = 3;
    private static final int MOST_PAGES = 3; // of a region

    private record Part(int region, int start, int length) {} // in bytes

    private final SplittableRandom random = new SplittableRandom(SEED);
    private final List<MemorySegment> regions = new ArrayList<>();
    private final List<int[]> expected = new ArrayList<>();

    @ParameterizedTest
    @CsvSource({"OPENCL_LWJGL, 2", "OPENCL_LWJGL, 3", "OPENCL_JOCL, 5", "UFFD_LWJGL, 2", "UFFD_LWJGL, 4", "SIGSEGV_LWJGL, 3"})
    void whatKernelsWroteStays(Backend backend, int budgetPages) {
        whatKernelsWroteStays(backend, 1, budgetPages);
    }

    /// One after the other on two devices, which take from each other what they read and what they overwrite.
    @Tag("two-devices")
    @ParameterizedTest
    @CsvSource({"OPENCL_LWJGL, 3", "UFFD_LWJGL, 2", "UFFD_LWJGL, 9", "SIGSEGV_LWJGL, 4"})
    void whatKernelsOfTwoDevicesWroteStays(Backend backend, int budgetPages) {
        whatKernelsWroteStays(backend, 2, budgetPages);
    }

    @Tag("emulated-gpu")
    @ParameterizedTest
    @CsvSource({"EMULATED_CHECKED, 3", "EMULATED_UFFD, 2", "EMULATED_UFFD, 9"})
    void whatKernelsOfTwoGpusWroteStays(Backend backend, int budgetPages) {
        whatKernelsWroteStays(backend, 2, budgetPages);
    }

    private void whatKernelsWroteStays(Backend backend, int devices, int budgetPages) {
        try (Rig rig = new Rig(backend.builder(devices).heap(ByteSize.mib(4)).pageSize(PAGE).budget((long) budgetPages * PAGE))) {
            assumeTrue(rig.isPaging(), "no kernel of this device needs the page table");
            for (int i = 0; i < REGIONS; i++) {
                int bytes = (1 + i % MOST_PAGES) * PAGE;
                regions.add(rig.heap.allocate(bytes, PAGE));
                expected.add(new int[bytes / Integer.BYTES]);
            }
            PagedKernels kernels = new PagedKernels(rig);
            for (int step = 0; step < STEPS; step++) {
                String done = launch(kernels, rig.device(random.nextInt(devices)));
                if (random.nextInt(4) == 0) { // else what is there stays there, to be written
                    look(rig, random.nextInt(REGIONS), "-Dhmm.seed=%d, step=%d, after %s".formatted(SEED, step, done));
                }
            }
        }
    }

    private String launch(PagedKernels kernels, HmmDevice device) {
        Part to = part(random.nextInt(REGIONS), MOST_PAGES * PAGE);
        Part from = part((to.region + 1 + random.nextInt(REGIONS - 1)) % REGIONS, to.length);
        MemorySegment written = segmentOf(new Part(to.region, to.start, from.length));
        Arg out = random.nextInt(4) > 0 ? Arg.out(written) : Arg.inOut(written);
        int number = random.nextInt();
        int at = to.start / Integer.BYTES;
        int[] numbers = expected.get(to.region);
        switch (random.nextInt(8)) {
            case 0 -> {
                kernels.fill(device, out, number).await();
                for (int i = 0; i < from.length / Integer.BYTES; i++) {
                    numbers[at + i] = number + i;
                }
            }
            case 1, 2 -> {
                kernels.add(device, written, number).await();
                for (int i = 0; i < from.length / Integer.BYTES; i++) {
                    numbers[at + i] += number;
                }
            }
            default -> {
                kernels.copy(device, segmentOf(from), out).await();
                System.arraycopy(expected.get(from.region), from.start / Integer.BYTES, numbers, at, from.length / Integer.BYTES);
            }
        }
        return from + " to " + to + " by " + out;
    }

    /// Whole groups, some of them all of a region.
    private Part part(int region, int most) {
        int groups = (int) regions.get(region).byteSize() / PagedKernels.GROUP_BYTES;
        int length = Math.min(most / PagedKernels.GROUP_BYTES, random.nextBoolean() ? groups : 1 + random.nextInt(groups));
        return new Part(region, random.nextInt(groups - length + 1) * PagedKernels.GROUP_BYTES, length * PagedKernels.GROUP_BYTES);
    }

    private MemorySegment segmentOf(Part part) {
        return regions.get(part.region).asSlice(part.start, part.length);
    }

    private void look(Rig rig, int region, String when) {
        try (HostView view = rig.heap.view(regions.get(region), Access.READ)) {
            assertThat(view.segment().toArray(JAVA_INT)).as("region %d, %s", region, when).isEqualTo(expected.get(region));
        }
    }
}
