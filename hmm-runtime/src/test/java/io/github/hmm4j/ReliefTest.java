package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A driver that gives all the memory that pages take, and then has none for the kernel.
@Timeout(120)
final class ReliefTest {

    private static final Source SOURCE = Source.text("add.cl", "kernel void add(global int *data, int delta) { data[get_global_id(0)] += delta; }\n");
    private static final long MIB = 1 << 20;
    private static final int REGIONS = 8;
    private static final int REGION_BYTES = 4 << 20;

    private final Map<Long, Long> buffers = new ConcurrentHashMap<>();
    /// With more than this in large buffers no kernel starts.
    private volatile long mostBytes = Long.MAX_VALUE;
    private volatile int status = -4;
    private volatile int refusals;
    /// So many kernels start before there is a shortage of a third of what is taken then; none if negative.
    private volatile int kernelsBeforeShortage = -1;

    /// Kernels end like that, although they have run.
    private volatile boolean kernelsFail;
    private final Set<Long> kernels = ConcurrentHashMap.newKeySet();

    private ClApi driver(ClApi real) {
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, arguments) -> {
            if (method.getName().equals("enqueueKernel") && kernelsBeforeShortage >= 0 && kernelsBeforeShortage-- == 0) {
                mostBytes = takenBytes() / 3 * 2;
            }
            if (method.getName().equals("enqueueKernel") && takenBytes() > mostBytes) {
                refusals++;
                throw ClStatus.failure(status, "clEnqueueNDRangeKernel", "global=[1]");
            }
            try {
                Object result = method.invoke(real, arguments);
                switch (method.getName()) {
                    case "createBuffer" -> buffers.put((long) result, (long) arguments[2]);
                    case "releaseMemory" -> buffers.remove((long) arguments[0]);
                    case "enqueueKernel" -> kernels.add((long) result);
                    default -> { }
                }
                boolean ofKernel = kernelsFail && method.getName().equals("eventStatus") && kernels.contains((long) arguments[0]);
                return ofKernel && (int) result <= 0 ? (Object) status : result;
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }

    private long takenBytes() {
        return buffers.values().stream().filter(bytes -> bytes >= 2 * MIB).mapToLong(Long::longValue).sum();
    }

    private static void assertHolds(ManagedHeap heap, MemorySegment data, int value) {
        try (HostView view = heap.view(data, Access.READ)) {
            assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(value);
            assertThat(view.segment().get(JAVA_INT, data.byteSize() - 4)).isEqualTo(value);
        }
    }

    private Hmm open() {
        ClApi api = driver(OpenClDevices.api(ClBinding.LWJGL));
        ClDevice device = ClDevice.open(api, OpenClDevices.choose(OpenClDevices.list(ClBinding.LWJGL), ""),
                ClOptions.DEFAULTS.copy(CopyMode.STAGED)); // which wraps no host memory
        return Hmm.builder().device(device).heap(ByteSize.mib(96)).budget(ByteSize.mib(64)).pageSize(64 << 10).hostAccess(HostAccess.Mode.CHECKED).open();
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
            mostBytes = takenBytes() - 24 * MIB;
            for (int i = 0; i < REGIONS; i++) {
                add.args(regions.get(i), 1).launch(NDRange.of(REGION_BYTES / 4)).await();
            }
            assertThat(refusals).isPositive().isLessThan(7);
            assertThat(takenBytes()).isLessThanOrEqualTo(mostBytes);
            for (int i = 0; i < REGIONS; i++) {
                assertHolds(heap, regions.get(i), i + 1);
            }
        }
    }

    /// A kernel that asks for its pages: at any of its rounds, of which those before have come to some of their ends.
    @Test
    void aKernelThatPagesGoesOnWithLess() {
        int count = 32 << 20 >> 2;
        for (int round = 0; round < 3; round++) {
            try (Hmm hmm = open()) {
                MemorySegment in = hmm.heap().allocate(JAVA_INT, count);
                MemorySegment out = hmm.heap().allocate(JAVA_INT, count);
                try (HostView view = hmm.heap().view(in, Access.WRITE)) {
                    for (int i = 0; i < count; i++) {
                        view.segment().setAtIndex(JAVA_INT, i, Float.floatToRawIntBits(i % 9973));
                    }
                }
                refusals = 0;
                kernelsBeforeShortage = round;
                hmm.program(Source.resource("paged.cl")).kernel("scale_runs").args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), (long) count, 4096, 2f, 1f)
                        .launch(NDRange.of(count / 4096)).await();
                assertThat(refusals).as("round %d", round).isPositive();
                assertThat(takenBytes()).isLessThanOrEqualTo(mostBytes);
                mostBytes = Long.MAX_VALUE;
                try (HostView view = hmm.heap().view(out, Access.READ)) {
                    for (int i = 0; i < count; i++) {
                        assertThat(Float.intBitsToFloat(view.segment().getAtIndex(JAVA_INT, i))).isEqualTo(2f * (i % 9973) + 1);
                    }
                }
            }
            assertThat(takenBytes()).as("given back").isZero();
        }
    }

    /// What a kernel ends with is no refusal, whatever its number: it has run, and runs no second time.
    @Test
    void aKernelThatHasFailedRunsOnce() {
        status = -5;
        try (Hmm hmm = open()) {
            MemorySegment in = hmm.heap().allocate(JAVA_INT, 4096);
            MemorySegment out = hmm.heap().allocate(JAVA_INT, 4096);
            Kernel.Call call = hmm.program(Source.resource("paged.cl")).kernel("scale_runs").args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), 4096L, 4096, 2f, 1f);
            kernelsFail = true;
            assertThatThrownBy(() -> call.launch(NDRange.of(1)).await()).isInstanceOf(OpenClFailedException.class).hasMessageContaining("CL_OUT_OF_RESOURCES(-5)");
            kernelsFail = false;
            assertThat(kernels).hasSize(1);
            hmm.heap().discard(out);
            call.launch(NDRange.of(1)).await();
            assertThat(kernels.size()).isGreaterThan(1);
        }
    }

    @Test
    void aKernelThatHasNoMemoryAtAllIsATypedErrorWithNumbers() {
        try (Hmm hmm = open()) {
            Kernel add = hmm.program(SOURCE).kernel("add");
            MemorySegment data = hmm.heap().allocate(REGION_BYTES, 4);
            add.args(data, 7).launch(NDRange.of(REGION_BYTES / 4)).await();
            mostBytes = 0;
            assertThatThrownBy(() -> add.args(data, 1).launch(NDRange.of(REGION_BYTES / 4))).isInstanceOf(DeviceMemoryExhaustedException.class)
                    .hasMessageContainingAll("kernel=add", "neededBytes=" + REGION_BYTES, "budgetBytes=" + 64 * MIB, "given back to the device before: bytes=", "CL_MEM_OBJECT_ALLOCATION_FAILURE(-4)");
            assertHolds(hmm.heap(), data, 7);
            mostBytes = Long.MAX_VALUE;
            add.args(data, 1).launch(NDRange.of(REGION_BYTES / 4)).await();
            assertHolds(hmm.heap(), data, 8);
        }
    }

    @Test
    void aKernelThatIsTooMuchForTheDeviceSaysWhatWasTried() {
        status = -5;
        try (Hmm hmm = open()) {
            Kernel add = hmm.program(SOURCE).kernel("add");
            MemorySegment data = hmm.heap().allocate(REGION_BYTES, 4);
            mostBytes = 0;
            assertThatThrownBy(() -> add.args(data, 1).launch(NDRange.of(REGION_BYTES / 4))).isInstanceOf(OpenClFailedException.class)
                    .hasMessageContainingAll("clEnqueueNDRangeKernel failed: status=CL_OUT_OF_RESOURCES(-5)", "kernel=add", "given back to the device before: bytes=");
        }
    }

    /// However often it is tried: what the pool gave back for nothing it takes again.
    @Test
    void aKernelThatNeverStartsLeavesOthersTheirRoom() {
        status = -5;
        try (Hmm hmm = open()) {
            Kernel add = hmm.program(SOURCE).kernel("add");
            MemorySegment large = hmm.heap().allocate(48 * MIB, 4);
            add.args(large, 7).launch(NDRange.of(48 * MIB / 4)).await();
            MemorySegment small = hmm.heap().allocate(REGION_BYTES, 4);
            MemorySegment medium = hmm.heap().allocate(32 * MIB, 4);
            mostBytes = 0;
            for (MemorySegment data : List.of(large, small)) {
                assertThatThrownBy(() -> add.args(data, 1).launch(NDRange.of(data.byteSize() / 4)))
                        .isInstanceOf(OpenClFailedException.class).hasMessageContaining("CL_OUT_OF_RESOURCES(-5)");
            }
            mostBytes = Long.MAX_VALUE;
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
            Kernel add = hmm.program(SOURCE).kernel("add");
            MemorySegment large = hmm.heap().allocate(48 * MIB, 4);
            MemorySegment small = hmm.heap().allocate(REGION_BYTES, 4);
            add.args(large, 7).launch(NDRange.of(48 * MIB / 4)).await();
            mostBytes = 40 * MIB;
            add.args(small, 3).launch(NDRange.of(REGION_BYTES / 4)).await();
            assertThat(takenBytes()).isLessThanOrEqualTo(mostBytes);
            assertThatThrownBy(() -> add.args(large, 1).launch(NDRange.of(48 * MIB / 4)))
                    .isInstanceOf(DeviceMemoryExhaustedException.class) // of the kernel, and not of pages without room
                    .hasMessageContainingAll("kernel=add", "CL_MEM_OBJECT_ALLOCATION_FAILURE(-4)");
            mostBytes = Long.MAX_VALUE;
            add.args(large, 1).launch(NDRange.of(48 * MIB / 4)).await();
            assertHolds(hmm.heap(), large, 8);
            assertHolds(hmm.heap(), small, 3);
        }
    }

    /// Nothing is moved for a failure of another kind.
    @Test
    void anotherFailureIsNotTriedAgain() {
        status = -59;
        try (Hmm hmm = open()) {
            Kernel add = hmm.program(SOURCE).kernel("add");
            MemorySegment data = hmm.heap().allocate(REGION_BYTES, 4);
            mostBytes = 0;
            assertThatThrownBy(() -> add.args(data, 1).launch(NDRange.of(REGION_BYTES / 4))).isInstanceOf(OpenClFailedException.class).hasMessageContaining("-59");
            assertThat(refusals).isEqualTo(1);
        }
    }
}
