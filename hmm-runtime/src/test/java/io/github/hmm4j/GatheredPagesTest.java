package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.CopyMode;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Pages that lie apart on a device come home together: carried by a kernel, or by a command for each.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class GatheredPagesTest {

    private static final int PAGE = 4096;
    private static final int PAGES = 600;
    private static final int ROUNDS = 5; // in the second there is a kernel, which is tried with the first slots

    @AfterEach
    void noSetting() {
        System.clearProperty("hmm.scatter");
    }

    @ParameterizedTest
    @EnumSource(value = CopyMode.class, names = {"STAGED", "COPY"})
    void aKernelCarriesThem(CopyMode mode) {
        System.setProperty("hmm.scatter", "kernel");
        try (Hmm hmm = open(mode, PAGES)) {
            everySecondPageThereAndBack(hmm);
            assertThat(hmm.report().count(Counter.MIGRATE_GATHERED)).isPositive();
            assertThat(hmm.report().count(Counter.MIGRATE_GATHERS_GIVEN_UP)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(value = CopyMode.class, names = {"STAGED", "COPY"})
    void commandsDo(CopyMode mode) {
        System.setProperty("hmm.scatter", "commands");
        try (Hmm hmm = open(mode, PAGES)) {
            everySecondPageThereAndBack(hmm);
            assertThat(hmm.report().count(Counter.MIGRATE_GATHERED)).isZero();
        }
    }

    /// What makes room lies apart, and comes home as one move.
    @ParameterizedTest
    @EnumSource(value = CopyMode.class, names = {"STAGED", "COPY"})
    void evictedPagesAreCarriedTogether(CopyMode mode) {
        System.setProperty("hmm.scatter", "kernel");
        try (Hmm hmm = open(mode, PAGES / 2)) {
            MemorySegment a = hmm.heap().allocate((long) PAGES * PAGE, PAGE);
            MemorySegment b = hmm.heap().allocate((long) PAGES / 2 * PAGE, PAGE);
            for (int round = 0; round < ROUNDS; round++) {
                write(a, round);
                write(b, ~round);
                for (int page = 0; page < PAGES; page += 2) {
                    hmm.heap().prefetch(page(a, page), hmm.device());
                }
                hmm.heap().prefetch(b, hmm.device()); // takes all that there is
                assertThat(hmm.heap().residency(b).onDevice(hmm.device())).isEqualTo(b.byteSize());
                assertThat(hmm.heap().residency(a).onDevice(hmm.device())).isZero();
                require(a, round);
                require(b, ~round);
            }
            assertThat(hmm.report().count(Counter.EVICTED_DIRTY_PAGES)).isEqualTo((long) ROUNDS * PAGES / 2);
            assertThat(hmm.report().count(Counter.MIGRATE_GATHERED)).isPositive();
        }
    }

    private static Hmm open(CopyMode mode, int budgetPages) {
        return Hmm.builder().binding(ClBinding.LWJGL).device("0").copy(mode).pageSize(PAGE).heap(ByteSize.mib(16)).budget((long) budgetPages * PAGE).faultAround(0).open();
    }

    private static void everySecondPageThereAndBack(Hmm hmm) {
        MemorySegment a = hmm.heap().allocate((long) PAGES * PAGE, PAGE);
        for (int round = 0; round < ROUNDS; round++) {
            write(a, round);
            for (int page = 0; page < PAGES; page += 2) {
                hmm.heap().prefetch(page(a, page), hmm.device());
            }
            assertThat(hmm.heap().prefetchHost(a).bytesCopied()).isEqualTo((long) PAGES / 2 * PAGE);
            require(a, round);
        }
    }

    private static MemorySegment page(MemorySegment a, int page) {
        return a.asSlice((long) page * PAGE, PAGE);
    }

    private static void write(MemorySegment a, long seed) {
        for (long i = 0; i < a.byteSize(); i += JAVA_LONG.byteSize()) {
            a.set(JAVA_LONG, i, i * 31 + seed);
        }
    }

    private static void require(MemorySegment a, long seed) {
        for (long i = 0; i < a.byteSize(); i += JAVA_LONG.byteSize()) {
            if (a.get(JAVA_LONG, i) != i * 31 + seed) {
                throw new AssertionError("offset=" + i + ", value=" + a.get(JAVA_LONG, i) + ", seed=" + seed);
            }
        }
    }
}
