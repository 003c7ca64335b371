package io.github.hmm4j.device.opencl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.error.PagePoisonedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A kernel that the driver says has failed, which nobody awaits.
@Tag("emulated-gpu")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class FailedEventTest {

    private static final Source SOURCE = Source.text("add.cl", "kernel void add(global int *data, int delta) { data[get_global_id(0)] += delta; }\n");
    private static final int INTS = 1 << 14; // whole pages, since others cannot be discarded

    private final EmulatedGpu gpu = EmulatedGpu.number(0);

    @BeforeEach
    void nothingIsToFail() {
        EmulatedGpu.reset();
    }

    private static int first(ManagedHeap heap, MemorySegment segment) {
        try (HostView view = heap.view(segment, Access.READ)) {
            return view.segment().get(JAVA_INT, 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void losesWhatItWasToWriteUntilThatIsDiscarded(ClBinding binding) {
        try (Hmm hmm = Hmm.builder().binding(binding).device("0").heap(ByteSize.mib(16)).hostAccess(HostAccess.Mode.CHECKED).open()) {
            ManagedHeap heap = hmm.heap();
            MemorySegment data = heap.allocate(4L * INTS, 1);
            var add = hmm.program(SOURCE).kernel("add");
            gpu.failEnd(Call.LAUNCH, 1, -5);
            add.args(data, 1).launch(NDRange.of(INTS));
            assertThatThrownBy(() -> first(heap, data)).isInstanceOf(PagePoisonedException.class).hasMessageContainingAll("kernel=add", "CL_OUT_OF_RESOURCES(-5)");
            assertThatThrownBy(() -> add.args(data, 1).launch(NDRange.of(INTS))).isInstanceOf(PagePoisonedException.class);
            heap.discard(data);
            add.args(data, 3).launch(NDRange.of(INTS)).await();
            assertThat(first(heap, data)).isEqualTo(3);
        }
    }
}
