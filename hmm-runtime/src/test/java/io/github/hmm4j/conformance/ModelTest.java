package io.github.hmm4j.conformance;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.FirstDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Random operations against a naive model of memory, every byte compared.
///
/// `-Dhmm.seed=N` repeats a run that failed, `-Dhmm.steps=F` makes all runs F times as long.
@Timeout(value = 30, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ModelTest {

    private static final long SEED = Long.getLong("hmm.seed", System.nanoTime());
    private static final int LONGER = Integer.getInteger("hmm.steps", 1);
    private static final int CHECK_EVERY = 200;

    /// The budget in pages; 0 is as much as the heap, which makes an aperture. Where kernels fault: pages beyond the least.
    @ParameterizedTest
    @CsvSource({
        "OPENCL_LWJGL, 1, 4096, 20, 2000",
        "OPENCL_LWJGL, 1, 4096, 0, 600",
        "OPENCL_LWJGL, 1, 65536, 20, 600",
        "OPENCL_JOCL, 1, 4096, 20, 600",
        "UFFD_LWJGL, 1, 4096, 20, 2000",
        "UFFD_LWJGL, 1, 65536, 0, 600",
        "UFFD_JOCL, 1, 4096, 0, 600",
        "SIGSEGV_LWJGL, 1, 4096, 0, 2000",
        "SIGSEGV_JOCL, 1, 65536, 20, 600",
        "IN_PLACE_UFFD_LWJGL, 1, 4096, 20, 2000",
        "IN_PLACE_SIGSEGV_LWJGL, 1, 4096, 0, 1000",
        "IN_PLACE_OPENCL_JOCL, 1, 4096, 20, 600",
        "IN_PLACE_ADDRESS_UFFD_LWJGL, 1, 4096, 20, 2000",
        "IN_PLACE_ADDRESS_CHECKED_JOCL, 1, 4096, 20, 600",
        "FAULTING_UFFD_LWJGL, 1, 4096, 0, 800",
        "FAULTING_SIGSEGV_JOCL, 1, 4096, 7, 800",
        "IN_PLACE_BUFFER_LWJGL, 1, 4096, 20, 2000",
        "IN_PLACE_BUFFER_JOCL, 1, 65536, 0, 600",
    })
    void oneThreadAgrees(Backend backend, int devices, int pageBytes, int budgetPages, int steps) {
        try (Rig rig = open(backend, devices, pageBytes, budgetPages)) {
            run(new RandomHeapUser(rig, SEED, true), steps * LONGER, SEED);
        }
    }

    @Tag("two-devices")
    @ParameterizedTest
    @CsvSource({"OPENCL_LWJGL, 2, 4096, 16, 4000", "OPENCL_LWJGL, 2, 4096, 40, 2000", "OPENCL_JOCL, 2, 4096, 0, 2000", "UFFD_LWJGL, 2, 4096, 20, 2000", "SIGSEGV_LWJGL, 2, 4096, 0, 2000",
        "IN_PLACE_UFFD_LWJGL, 2, 4096, 20, 4000", "IN_PLACE_OPENCL_JOCL, 2, 4096, 20, 2000", "IN_PLACE_ADDRESS_UFFD_LWJGL, 2, 4096, 20, 2000", "FAULTING_UFFD_LWJGL, 2, 4096, 3, 800", "FAULTING_SIGSEGV_LWJGL, 2, 4096, 0, 800"})
    void oneThreadAgreesOnTwoDevices(Backend backend, int devices, int pageBytes, int budgetPages, int steps) {
        oneThreadAgrees(backend, devices, pageBytes, budgetPages, steps);
    }

    /// Where devices are late, and say so if bytes are used in no order.
    @Tag("emulated-gpu")
    @ParameterizedTest
    @CsvSource({"EMULATED_CHECKED, 2, 4096, 16, 4000", "EMULATED_CHECKED, 2, 4096, 0, 4000", "EMULATED_UFFD, 2, 4096, 40, 4000", "EMULATED_UFFD, 1, 65536, 20, 600"})
    void oneThreadAgreesOnGpus(Backend backend, int devices, int pageBytes, int budgetPages, int steps) {
        oneThreadAgrees(backend, devices, pageBytes, budgetPages, steps);
    }

    /// Threads with regions of their own, and some that take turns with the same regions, all on the same few frames.
    @ParameterizedTest
    @CsvSource({
        "OPENCL_LWJGL, 1, 4096, 30, 200",
        "UFFD_LWJGL, 1, 4096, 30, 600",
        "SIGSEGV_LWJGL, 1, 4096, 30, 600",
        "IN_PLACE_UFFD_LWJGL, 1, 4096, 30, 600",
        "IN_PLACE_OPENCL_JOCL, 1, 4096, 30, 200",
        "IN_PLACE_ADDRESS_UFFD_LWJGL, 1, 4096, 30, 600",
        "FAULTING_UFFD_LWJGL, 1, 4096, 0, 200",
        "FAULTING_SIGSEGV_LWJGL, 1, 4096, 9, 200",
        "IN_PLACE_BUFFER_LWJGL, 1, 4096, 30, 200",
    })
    void manyThreadsAgree(Backend backend, int devices, int pageBytes, int budgetPages, int steps) throws InterruptedException {
        try (Rig rig = open(backend, devices, pageBytes, budgetPages)) {
            List<Runnable> threads = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                long seed = SEED + i;
                threads.add(() -> run(new RandomHeapUser(rig, seed, false), steps * LONGER, SEED));
            }
            SharedTurns shared = new SharedTurns(rig, SEED);
            threads.add(() -> shared.take(steps * LONGER / 2));
            threads.add(() -> shared.take(steps * LONGER / 2));
            Racers.run(threads.toArray(Runnable[]::new));
            shared.finish();
        }
    }

    @Tag("two-devices")
    @ParameterizedTest
    @CsvSource({"OPENCL_LWJGL, 2, 4096, 30, 600", "OPENCL_LWJGL, 2, 4096, 0, 600", "UFFD_LWJGL, 2, 4096, 30, 600", "SIGSEGV_LWJGL, 2, 4096, 0, 600", "IN_PLACE_UFFD_LWJGL, 2, 4096, 30, 1000",
        "IN_PLACE_OPENCL_JOCL, 2, 4096, 30, 600", "FAULTING_UFFD_LWJGL, 2, 4096, 0, 300", "FAULTING_SIGSEGV_LWJGL, 2, 4096, 9, 300"})
    void manyThreadsAgreeOnTwoDevices(Backend backend, int devices, int pageBytes, int budgetPages, int steps) throws InterruptedException {
        manyThreadsAgree(backend, devices, pageBytes, budgetPages, steps);
    }

    @Tag("emulated-gpu")
    @ParameterizedTest
    @CsvSource({"EMULATED_CHECKED, 2, 4096, 30, 1500", "EMULATED_CHECKED, 2, 4096, 0, 1500", "EMULATED_UFFD, 2, 4096, 30, 1500"})
    void manyThreadsAgreeOnGpus(Backend backend, int devices, int pageBytes, int budgetPages, int steps) throws InterruptedException {
        manyThreadsAgree(backend, devices, pageBytes, budgetPages, steps);
    }

    private static Rig open(Backend backend, int devices, int pageBytes, int budgetPages) {
        assumeTrue(!backend.faults() || FirstDevice.worksInHostMemory(), "kernels of this device cannot fault");
        int leastPages = backend.faults() ? Rig.leastFaultingPages() : 0;
        long heapBytes = Math.max(ByteSize.mib(4), Math.max(512, 64L * leastPages) * pageBytes);
        long budgetBytes = budgetPages + leastPages == 0 ? heapBytes : (long) (leastPages + budgetPages) * pageBytes;
        return new Rig(backend.builder(devices).heap(heapBytes).pageSize(pageBytes).budget(budgetBytes));
    }

    private static void run(RandomHeapUser user, int steps, long seed) {
        for (int step = 0; step < steps; step++) {
            try {
                user.step();
                if (step % CHECK_EVERY == CHECK_EVERY - 1) {
                    user.checkAll();
                }
            } catch (RuntimeException | Error e) {
                throw new AssertionError("-Dhmm.seed=%d, step=%d: %s".formatted(seed, step, user.doing()), e);
            }
        }
        user.finish();
    }

    /// One user's regions, driven by several threads under a lock of the test.
    private static final class SharedTurns {

        private final ReentrantLock lock = new ReentrantLock();
        private final RandomHeapUser user;
        private final long seed;

        SharedTurns(Rig rig, long seed) {
            user = new RandomHeapUser(rig, ~seed, false);
            this.seed = seed;
        }

        void take(int turns) {
            for (int i = 0; i < turns; i++) {
                lock.lock();
                try {
                    user.stepWithoutOpenViews(); // views belong to the thread that opens them
                } catch (RuntimeException | Error e) {
                    throw new AssertionError("-Dhmm.seed=%d, turn=%d: %s".formatted(seed, i, user.doing()), e);
                } finally {
                    lock.unlock();
                }
            }
        }

        void finish() {
            user.finish();
        }
    }
}
