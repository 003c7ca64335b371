package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.FirstDevice;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.account.Counter;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Threads that touch, launch, move and advise at random, all on the same few pages, with plain loads and stores; every byte is known and compared.
///
/// `-Dhmm.seed=N` repeats the choices of a run that failed, though not how its threads met; `-Dhmm.steps=F` makes all runs F times as long: 20 is a million steps.
@Timeout(value = 60, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TransparentModelTest {

    private static final long SEED = Long.getLong("hmm.seed", System.nanoTime());
    private static final int LONGER = Integer.getInteger("hmm.steps", 1);
    private static final int BLOCKS = 6;
    private static final int MAX_BLOCK_PAGES = 10;
    private static final int TOUCHERS = 4;
    private static final int KERNEL_USERS = 2;

    /// The budget in pages; 0 is as much as the heap, which makes an aperture. Where kernels fault: pages beyond the least.
    @ParameterizedTest
    @CsvSource({
        "UFFD_LWJGL, 1, 4096, 16, false, 8000",
        "UFFD_LWJGL, 1, 4096, 0, false, 5000",
        "UFFD_LWJGL, 1, 65536, 16, false, 5000",
        "UFFD_LWJGL, 1, 4096, 16, true, 7000",
        "SIGSEGV_LWJGL, 1, 4096, 16, false, 8000",
        "SIGSEGV_LWJGL, 1, 65536, 0, false, 5000",
        "SIGSEGV_LWJGL, 1, 65536, 16, true, 5000",
        "IN_THREAD_LWJGL, 1, 4096, 16, false, 5000",
        "UFFD_JOCL, 1, 4096, 16, true, 4000",
        "SIGSEGV_JOCL, 1, 4096, 16, false, 4000",
        "FAULTING_UFFD_LWJGL, 1, 4096, 0, false, 5000",
        "FAULTING_SIGSEGV_LWJGL, 1, 4096, 5, false, 5000",
    })
    void everybodyAgrees(Backend backend, int devices, int pageBytes, int budgetPages, boolean exclusive, int steps) throws InterruptedException {
        assumeTrue(!backend.faults() || FirstDevice.worksInHostMemory(), "kernels of this device cannot fault");
        int leastPages = backend.faults() ? Rig.leastFaultingPages() : 0;
        int mostBlockPages = backend.faults() ? leastPages + 20 : MAX_BLOCK_PAGES; // so that a quota may be less
        long heapBytes = Math.max(ByteSize.mib(4), Math.max(256, 8L * BLOCKS * leastPages) * pageBytes);
        HmmBuilder builder = backend.builder(devices).heap(heapBytes).pageSize(pageBytes).faultAround(8L * pageBytes)
                .budget(budgetPages + leastPages == 0 ? heapBytes : (long) (leastPages + budgetPages) * pageBytes);
        try (Rig rig = new Rig(exclusive ? builder.exclusive() : builder)) {
            KnownMemory memory = new KnownMemory(rig, new SplittableRandom(SEED), BLOCKS, mostBlockPages);
            Racers.run(actors(rig, memory, new Turns((long) steps * LONGER)));
            check(rig, memory);
            memory.blocks().forEach(block -> rig.heap.free(block.segment()));
            assertThat(rig.heap.usedBytes()).isZero();
            assertThat(rig.count(Counter.FAULT_FETCHED_PAGES)).isPositive();
            assertThat(rig.count(Counter.FAULT_ERRORS)).isPositive();
            assertThat(rig.count(Counter.RELEASED_PAGES) > 0).isEqualTo(exclusive);
            if (backend.faults()) {
                assertThat(rig.count(Counter.DEVICE_EVICTED)).isPositive();
            } else if (budgetPages > 0) {
                assertThat(rig.count(Counter.EVICTED_DIRTY_PAGES)).isPositive();
            }
        }
    }

    @Tag("two-devices")
    @ParameterizedTest
    @CsvSource({"UFFD_LWJGL, 2, 4096, 16, false, 8000", "SIGSEGV_LWJGL, 2, 4096, 0, true, 8000",
        "FAULTING_UFFD_LWJGL, 2, 4096, 3, false, 5000", "FAULTING_SIGSEGV_LWJGL, 2, 4096, 0, false, 5000"})
    void everybodyAgreesOnTwoDevices(Backend backend, int devices, int pageBytes, int budgetPages, boolean exclusive, int steps) throws InterruptedException {
        everybodyAgrees(backend, devices, pageBytes, budgetPages, exclusive, steps);
    }

    private static Runnable[] actors(Rig rig, KnownMemory memory, Turns turns) {
        List<Runnable> actors = new ArrayList<>();
        for (int i = 0; i < TOUCHERS; i++) {
            actors.add(new Toucher(rig, memory, turns, SEED, actors.size()));
        }
        for (int i = 0; i < KERNEL_USERS; i++) {
            actors.add(new KernelUser(rig, memory, turns, SEED, actors.size()));
        }
        if (rig.isPaging()) {
            actors.add(new PagedKernelUser(rig, memory, turns, SEED, actors.size()));
            actors.add(new PagedKernelUser(rig, memory, turns, SEED, actors.size()));
        }
        actors.add(new Mover(rig, memory, turns, SEED, actors.size(), 4));
        actors.add(new Adviser(rig, memory, turns, SEED, actors.size()));
        return actors.toArray(Runnable[]::new);
    }

    /// Every byte, as the host sees it and as a device sees it.
    private static void check(Rig rig, KnownMemory memory) {
        memory.eachStrip(strip -> strip.check(strip.segment(), 0));
        MemorySegment copied = rig.pages(4);
        memory.eachStrip(strip -> {
            MemorySegment to = copied.asSlice(0, strip.bytes.length);
            rig.launchCopy(rig.device(0), strip.segment(), to).await();
            strip.check(to, 0);
        });
        rig.heap.free(copied);
    }
}
