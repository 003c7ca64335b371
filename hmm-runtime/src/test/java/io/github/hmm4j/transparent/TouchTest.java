package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.Ladder;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Ordinary loads and stores on managed memory, wherever its pages are.
class TouchTest {

    private static final int COUNT = 1 << 20;

    private static Hmm open(Mode mode) {
        return Hmm.builder().heap(ByteSize.mib(64)).hostAccess(mode).open();
    }

    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV", "UFFD_IN_THREAD"})
    void kernelAndProcessorTakeTurns(Mode mode) {
        try (Hmm hmm = open(mode)) {
            MemorySegment a = hmm.heap().allocate(JAVA_INT, COUNT);
            MemorySegment b = hmm.heap().allocate(JAVA_INT, COUNT);
            Kernel copy = hmm.program(Source.resource("access.cl")).kernel("copy_ints");
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < COUNT; i++) {
                    a.setAtIndex(JAVA_INT, i, i + round);
                }
                copy.args(a, b, COUNT).launch(NDRange.of(COUNT)).await();
                for (int i = 0; i < COUNT; i++) {
                    if (b.getAtIndex(JAVA_INT, i) != i + round) {
                        assertThat(b.getAtIndex(JAVA_INT, i)).as("element %d", i).isEqualTo(i + round);
                    }
                }
            }
            System.out.println(hmm.report());
            assertThat(hmm.report().count(Counter.FAULT_FETCHED_PAGES)).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV", "UFFD_IN_THREAD"})
    void protectionIsAnErrorOfTheCodeThatTouches(Mode mode) {
        try (Hmm hmm = open(mode)) {
            MemorySegment a = hmm.heap().allocate(JAVA_INT, COUNT);
            a.setAtIndex(JAVA_INT, 0, 7);
            hmm.heap().protect(a, Protection.READ);
            assertThat(a.getAtIndex(JAVA_INT, 0)).isEqualTo(7);
            assertThatThrownBy(() -> write(a)).isInstanceOf(InternalError.class);
            hmm.heap().protect(a, Protection.NONE);
            assertThatThrownBy(() -> read(a)).isInstanceOf(InternalError.class);
            hmm.heap().protect(a, Protection.READ_WRITE);
            write(a);
            assertThat(read(a)).isEqualTo(8);
        }
    }

    @Test
    void aTouchIsServedByItsOwnThreadWhereThatIsAskedFor() {
        assertThat(Ladder.best().mode()).isNotEqualTo(Mode.UFFD_IN_THREAD);
        try (Hmm hmm = open(Mode.UFFD_IN_THREAD)) {
            assertThat(hmm.hostAccess().mode()).isEqualTo(Mode.UFFD_IN_THREAD);
            assertThat(hmm.hostAccess().fromSystemCalls()).isFalse();
            MemorySegment a = hmm.heap().allocate(JAVA_INT, COUNT);
            a.setAtIndex(JAVA_INT, 0, 7);
            assertThat(hmm.report().count(Counter.FAULTS_WRITE)).isEqualTo(1);
            assertThat(hmm.report().count(Counter.FAULT_IN_THREAD)).isEqualTo(1);
        }
    }

    private static void write(MemorySegment a) {
        a.setAtIndex(JAVA_INT, 0, 8);
    }

    private static int read(MemorySegment a) {
        return a.getAtIndex(JAVA_INT, 0);
    }
}
