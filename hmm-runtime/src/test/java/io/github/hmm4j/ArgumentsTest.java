package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a launch refuses, and that it names it. Nothing moves for a launch that is refused.
@Timeout(60)
class ArgumentsTest {

    private final Rig rig = Rig.windows(1, 16);
    private final MemorySegment a = rig.filled(2, 1);

    @AfterEach
    void nothingHasMoved() {
        assertThat(rig.heap.residency(a).hostBytes()).isEqualTo(2L * Rig.PAGE);
        rig.close();
    }

    private AbstractThrowableAssert<?, ? extends Throwable> refused(String kernel, Object... arguments) {
        return assertThatThrownBy(() -> rig.kernel(kernel).args(arguments).launch(NDRange.of(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theNumberOfArguments() {
        refused("add", a, 1).hasMessageContaining("kernel=add").hasMessageContaining("arguments=2").hasMessageContaining("parameters=3");
        refused("add", a, 1, 2, 3).hasMessageContaining("argument 3=3").hasMessageContaining("parameters=3");
        refused("add").hasMessageContaining("arguments=0");
    }

    @Test
    void theKindsOfArguments() {
        refused("add", 1, 1, 1).hasMessageContaining("parameter 0").hasMessageContaining("a value");
        refused("add", a, a, 1).hasMessageContaining("parameter 1").hasMessageContaining("memory");
        refused("add", a, Arg.local(4), 1).hasMessageContaining("local memory");
        refused("add", "a", 1, 1).hasMessageContaining("java.lang.String");
        refused("add", a, BigInteger.TEN, 1).hasMessageContaining("java.math.BigInteger");
        assertThatThrownBy(() -> Arg.heap(Arg.local(4))).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("lengthBytes=4");
    }

    @Test
    void valuesOfTheWrongSize() {
        refused("add", a, 1L, 1).hasMessageContaining("valueBytes=8");
        refused("add", a, (short) 1, 1).hasMessageContaining("valueBytes=2");
    }

    @Test
    void memoryThatIsNotManaged() {
        try (Arena arena = Arena.ofConfined()) {
            refused("add", arena.allocate(64), 1, 1).hasMessageContaining("kernel=add").hasMessageContaining("argument 0");
        }
        refused("add", MemorySegment.ofArray(new int[4]), 1, 1).hasMessageContaining("not within one managed region");
        refused("add", a.asSlice(0, 0), 1, 1).hasMessageContaining("not within one managed region");
        MemorySegment freed = rig.pages(1);
        rig.heap.free(freed);
        refused("add", freed, 1, 1).hasMessageContaining("not within one managed region");
    }

    @Test
    void slicesThatADeviceCannotPointTo() {
        refused("add", a.asSlice(4, 64), 1, 1).hasMessageContaining("multiple of 128 bytes").hasMessageContaining("device=sim0");
    }

    @Test
    void theHeapAsAnArgumentWithoutAnAperture() {
        assertThatThrownBy(() -> rig.kernel("bump").args(Arg.heap(Arg.inOut(a)), 0L).launch(NDRange.of(1)))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("no aperture").hasMessageContaining("heapBytes=");
    }

    @Test
    void devicesOfAnotherHeap() {
        try (Rig other = Rig.windows(1, 16)) {
            HmmDevice foreign = other.device(0);
            var call = rig.kernel("add").args(a, 1, 1);
            assertThatThrownBy(() -> call.launch(NDRange.of(1), foreign)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another heap");
            assertThatThrownBy(() -> rig.heap.prefetch(a, foreign)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> rig.heap.snapshot(a, foreign)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> rig.hmm.evictAll(foreign)).isInstanceOf(IllegalArgumentException.class);
            assertThat(other.count(Counter.LAUNCHES)).isZero();
        }
    }

    @Test
    void rangesThatAreNone() {
        assertThatThrownBy(NDRange::of).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("dimensions=0");
        assertThatThrownBy(() -> NDRange.of(1, 1, 1, 1)).hasMessageContaining("dimensions=4");
        assertThatThrownBy(() -> NDRange.of(4, 0)).hasMessageContaining("[4, 0]");
        assertThatThrownBy(() -> NDRange.of(10).local(3)).hasMessageContaining("[3]").hasMessageContaining("[10]");
        assertThatThrownBy(() -> NDRange.of(10).local(5, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(NDRange.covering(new long[] {10}, 4).global()).containsExactly(12);
    }
}
