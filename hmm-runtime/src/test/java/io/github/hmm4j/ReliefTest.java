package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.device.opencl.ScatterMode;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A driver that gives all the memory that pages take, and then has none for the kernel.
@Tag("emulated-gpu")
@Timeout(120)
final class ReliefTest {

    private static final Source SOURCE = Source.text("add.cl", "kernel void add(global int *data, int delta) { data[get_global_id(0)] += delta; }\n");
    private static final long MIB = 1 << 20;
    private static final int REGIONS = 8;
    private static final int REGION_BYTES = 4 << 20;

    private static final long MEMORY_BYTES = ByteSize.gib(1);

    private final EmulatedGpu gpu = EmulatedGpu.number(0);

    @BeforeEach
    void allOfTheDevice() {
        EmulatedGpu.reset();
    }

    /// With more than this in use no kernel starts.
    private static void limitTo(long mostBytes) {
        EmulatedGpu.kernelsTake(MEMORY_BYTES - mostBytes);
    }

    private static void limitNoMore() {
        EmulatedGpu.kernelsTake(0);
    }

    private static void assertHolds(ManagedHeap heap, MemorySegment data, int value) {
        try (HostView view = heap.view(data, Access.READ)) {
            assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(value);
            assertThat(view.segment().get(JAVA_INT, data.byteSize() - 4)).isEqualTo(value);
        }
    }

    private static Hmm open() {
        return open(MEMORY_BYTES, MEMORY_BYTES / 4);
    }

    private static Hmm open(long memoryBytes, long allocationBytes) {
        EmulatedGpu.limit(memoryBytes, allocationBytes);
        ClOptions options = ClOptions.DEFAULTS.copy(CopyMode.STAGED).scatter(ScatterMode.COMMANDS); // so that kernels are the program's
        return Hmm.builder().binding(ClBinding.LWJGL).device("0").openCl(options).heap(ByteSize.mib(96)).budget(ByteSize.mib(64)).pageSize(64 << 10).hostAccess(HostAccess.Mode.CHECKED).open();
    }

    /// The pool gives memory back, stays smaller, and every byte is right.
    @Test
    void aKernelWithoutMemoryGetsSomeOfThePool() {
        try (Hmm hmm = open()) {
            ManagedHeap heap = hmm.heap();
            Kernel add = hmm.program(SOURCE).kernel("add");
            List<MemorySegment> regions = new ArrayList<>();
            for (int i = 0; i < REGIONS; i++) {
                regions.add(heap.allocate(REGION_BYTES, 4));
                add.args(regions.get(i), i).launch(NDRange.of(REGION_BYTES / 4)).await();
            }
            long most = gpu.usedBytes() - 24 * MIB;
            limitTo(most);
            long before = gpu.calls(Call.LAUNCH);
            for (int i = 0; i < REGIONS; i++) {
                add.args(regions.get(i), 1).launch(NDRange.of(REGION_BYTES / 4)).await();
            }
            assertThat(gpu.calls(Call.LAUNCH) - before - REGIONS).as("refusals").isPositive().isLessThan(7);
            assertThat(gpu.usedBytes()).isLessThanOrEqualTo(most);
            for (int i = 0; i < REGIONS; i++) {
                assertHolds(heap, regions.get(i), i + 1);
            }
        }
    }

    /// A kernel that asks for its pages: at any of its rounds, of which those before have come to some of their ends.
    @Test
    void aKernelThatPagesGoesOnWithLess() throws Exception {
        int count = 32 << 20 >> 2;
        for (int round = 0; round < 3; round++) {
            EmulatedGpu.reset();
            try (Hmm hmm = open()) {
                MemorySegment in = hmm.heap().allocate(JAVA_INT, count);
                MemorySegment out = hmm.heap().allocate(JAVA_INT, count);
                try (HostView view = hmm.heap().view(in, Access.WRITE)) {
                    for (int i = 0; i < count; i++) {
                        view.segment().setAtIndex(JAVA_INT, i, Float.floatToRawIntBits(i % 9973));
                    }
                }
                Kernel.Call scale = hmm.program(Source.resource("paged.cl")).kernel("scale_runs")
                        .args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), (long) count, 4096, 2f, 1f);
                long most;
                CompletableFuture<Void> launch;
                try (EmulatedGpu.Stop stop = gpu.stopAt(Call.LAUNCH, round + 1)) {
                    launch = CompletableFuture.runAsync(() -> scale.launch(NDRange.of(count / 4096)).await());
                    stop.await();
                    most = gpu.usedBytes() / 3 * 2;
                    limitTo(most);
                }
                launch.get();
                assertThat(gpu.usedBytes()).as("round %d", round).isLessThanOrEqualTo(most);
                limitNoMore();
                try (HostView view = hmm.heap().view(out, Access.READ)) {
                    for (int i = 0; i < count; i++) {
                        assertThat(Float.intBitsToFloat(view.segment().getAtIndex(JAVA_INT, i))).isEqualTo(2f * (i % 9973) + 1);
                    }
                }
            }
            assertThat(gpu.usedBytes()).as("given back").isZero();
        }
    }

    /// The budget would do, so a larger one is no advice.
    @Test
    void aWorkItemThatWantsMoreThanTheDeviceGivesIsToldThat() {
        String want = """
                #include "hmm.clh"
                kernel void want(HMM_HEAP_CONST, const ulong at, const uint pages, global int *sum) {
                    HMM_BEGIN;
                    bool missing = false;
                    for (uint i = 0; i < pages; i++) missing |= !HMM_READ(int, at + i * 65536ul);
                    if (missing) return;
                    *sum = (int)pages;
                    HMM_END;
                }
                """;
        try (Hmm hmm = open(32 * MIB, 32 * MIB)) { // half of the budget, and not all of it in one piece
            MemorySegment table = hmm.heap().allocate(32 * MIB, 64 << 10);
            MemorySegment sum = hmm.heap().allocate(JAVA_INT);
            Kernel kernel = hmm.program(Source.text("want.cl", want)).kernel("want");
            assertThatThrownBy(() -> kernel.args(Arg.heap(Arg.in(table)), table.address(), 300, sum).launch(NDRange.of(1))).isInstanceOf(DeviceMemoryExhaustedException.class)
                    .hasMessageContainingAll("kernel=want", "neededBytes=" + (300 + 99) * (64 << 10), "budgetBytes=" + 64 * MIB, "at least 300 pages of 65536 bytes at a time", "the device gives less than the budget allows");
            kernel.args(Arg.heap(Arg.in(table)), table.address(), 100, sum).launch(NDRange.of(1)).await();
            try (HostView view = hmm.heap().view(sum, Access.READ)) {
                assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(100);
            }
            assertThatThrownBy(() -> kernel.args(Arg.heap(Arg.in(table)), table.address(), 512, sum).launch(NDRange.of(1))).isInstanceOf(DeviceMemoryExhaustedException.class);
        }
    }

    /// What a kernel ends with is no refusal, whatever its number: it has run, and runs no second time.
    @Test
    void aKernelThatHasFailedRunsOnce() {
        try (Hmm hmm = open()) {
            MemorySegment in = hmm.heap().allocate(JAVA_INT, 4096);
            MemorySegment out = hmm.heap().allocate(JAVA_INT, 4096);
            Kernel.Call call = hmm.program(Source.resource("paged.cl")).kernel("scale_runs").args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), 4096L, 4096, 2f, 1f);
            long before = gpu.calls(Call.LAUNCH);
            gpu.failEnd(Call.LAUNCH, 1, -5);
            assertThatThrownBy(() -> call.launch(NDRange.of(1)).await()).isInstanceOf(OpenClFailedException.class).hasMessageContaining("CL_OUT_OF_RESOURCES(-5)");
            assertThat(gpu.calls(Call.LAUNCH) - before).isEqualTo(1);
            hmm.heap().discard(out);
            call.launch(NDRange.of(1)).await();
            assertThat(gpu.calls(Call.LAUNCH) - before).isGreaterThan(1);
        }
    }

    @Test
    void aKernelThatHasNoMemoryAtAllIsATypedErrorWithNumbers() {
        try (Hmm hmm = open()) {
            Kernel add = hmm.program(SOURCE).kernel("add");
            MemorySegment data = hmm.heap().allocate(REGION_BYTES, 4);
            add.args(data, 7).launch(NDRange.of(REGION_BYTES / 4)).await();
            limitTo(0);
            assertThatThrownBy(() -> add.args(data, 1).launch(NDRange.of(REGION_BYTES / 4))).isInstanceOf(DeviceMemoryExhaustedException.class)
                    .hasMessageContainingAll("kernel=add", "neededBytes=" + REGION_BYTES, "budgetBytes=" + 64 * MIB, "given back to the device before: bytes=", "CL_MEM_OBJECT_ALLOCATION_FAILURE(-4)");
            assertHolds(hmm.heap(), data, 7);
            limitNoMore();
            add.args(data, 1).launch(NDRange.of(REGION_BYTES / 4)).await();
            assertHolds(hmm.heap(), data, 8);
        }
    }

    @Test
    void aKernelThatIsTooMuchForTheDeviceSaysWhatWasTried() {
        try (Hmm hmm = open()) {
            Kernel add = hmm.program(SOURCE).kernel("add");
            MemorySegment data = hmm.heap().allocate(REGION_BYTES, 4);
            gpu.failAll(Call.LAUNCH, -5);
            assertThatThrownBy(() -> add.args(data, 1).launch(NDRange.of(REGION_BYTES / 4))).isInstanceOf(OpenClFailedException.class)
                    .hasMessageContainingAll("clEnqueueNDRangeKernel failed: status=CL_OUT_OF_RESOURCES(-5)", "kernel=add", "given back to the device before: bytes=");
        }
    }

    /// However often it is tried: what the pool gave back for nothing it takes again.
    @Test
    void aKernelThatNeverStartsLeavesOthersTheirRoom() {
        try (Hmm hmm = open()) {
            Kernel add = hmm.program(SOURCE).kernel("add");
            MemorySegment large = hmm.heap().allocate(48 * MIB, 4);
            add.args(large, 7).launch(NDRange.of(48 * MIB / 4)).await();
            MemorySegment small = hmm.heap().allocate(REGION_BYTES, 4);
            MemorySegment medium = hmm.heap().allocate(32 * MIB, 4);
            gpu.failAll(Call.LAUNCH, -5);
            for (MemorySegment data : List.of(large, small)) {
                assertThatThrownBy(() -> add.args(data, 1).launch(NDRange.of(data.byteSize() / 4)))
                        .isInstanceOf(OpenClFailedException.class).hasMessageContaining("CL_OUT_OF_RESOURCES(-5)");
            }
            gpu.clear();
            add.args(small, 3).launch(NDRange.of(REGION_BYTES / 4)).await();
            add.args(medium, 1).launch(NDRange.of(32 * MIB / 4)).await();
            assertThat(hmm.heap().residency(small).onDevice(hmm.device())).as("nobody had to make room")
                    .isEqualTo(REGION_BYTES);
            add.args(large, 1).launch(NDRange.of(48 * MIB / 4)).await();
            assertHolds(hmm.heap(), large, 8);
            assertHolds(hmm.heap(), small, 3);
        }
    }

    @Test
    void memoryThatTheDeviceHasAgainIsAskedFor() {
        try (Hmm hmm = open()) {
            long beside = gpu.usedBytes();
            Kernel add = hmm.program(SOURCE).kernel("add");
            MemorySegment large = hmm.heap().allocate(48 * MIB, 4);
            MemorySegment small = hmm.heap().allocate(REGION_BYTES, 4);
            add.args(large, 7).launch(NDRange.of(48 * MIB / 4)).await();
            long most = 40 * MIB + beside;
            limitTo(most);
            add.args(small, 3).launch(NDRange.of(REGION_BYTES / 4)).await();
            assertThat(gpu.usedBytes()).isLessThanOrEqualTo(most);
            assertThatThrownBy(() -> add.args(large, 1).launch(NDRange.of(48 * MIB / 4)))
                    .isInstanceOf(DeviceMemoryExhaustedException.class) // of the kernel, and not of pages without room
                    .hasMessageContainingAll("kernel=add", "CL_MEM_OBJECT_ALLOCATION_FAILURE(-4)");
            limitNoMore();
            add.args(large, 1).launch(NDRange.of(48 * MIB / 4)).await();
            assertHolds(hmm.heap(), large, 8);
            assertHolds(hmm.heap(), small, 3);
        }
    }

    /// Nothing is moved for a failure of another kind.
    @Test
    void anotherFailureIsNotTriedAgain() {
        try (Hmm hmm = open()) {
            Kernel add = hmm.program(SOURCE).kernel("add");
            MemorySegment data = hmm.heap().allocate(REGION_BYTES, 4);
            gpu.failAll(Call.LAUNCH, -59);
            long before = gpu.calls(Call.LAUNCH);
            assertThatThrownBy(() -> add.args(data, 1).launch(NDRange.of(REGION_BYTES / 4))).isInstanceOf(OpenClFailedException.class).hasMessageContaining("-59");
            assertThat(gpu.calls(Call.LAUNCH) - before).isEqualTo(1);
        }
    }
}
