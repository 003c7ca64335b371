package io.github.hmm4j.device.opencl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.DeviceInfo.Svm;
import io.github.hmm4j.error.OpenClFailedException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What a binding promises below the device: the plain calls, and an exception for every bad status.
abstract class ClApiContract {

    private final ClApi api;
    private ClDeviceId id;
    private long context;
    private long queue;

    ClApiContract(ClBinding binding) {
        api = Bindings.load(binding);
        assertThat(api.binding()).isEqualTo(binding);
    }

    @BeforeEach
    void openQueue() {
        id = Bindings.firstDevice(api);
        context = api.createContext(id.platform(), id.device());
        queue = api.createQueue(context, id.device(), true);
    }

    @AfterEach
    void releaseQueue() {
        api.releaseQueue(queue);
        api.releaseContext(context);
    }

    @Test
    void saysWhatTheDeviceIs() {
        assertThat(id.info().name()).isNotBlank().doesNotContain("\0");
        assertThat(id.info().maxAllocationBytes()).isBetween(1L << 20, id.info().memoryBytes());
        assertThat(id.info().computeUnits()).isPositive();
        assertThat(ClPlatforms.device(api, id.device())).isEqualTo(id);
    }

    @Test
    void aQueueWaitsForACommandOfAnother() {
        long other = api.createQueue(context, id.device(), false);
        long memory = api.createBuffer(context, Cl.MEM_READ_WRITE, 1024, 0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(1024);
            for (int round = 0; round < 20; round++) {
                host.fill((byte) round);
                api.enqueueWrite(other, memory, 0, 1024, host.address(), false);
                long written = api.enqueueMarker(other);
                api.flush(other);
                api.enqueueWait(queue, written);
                MemorySegment back = arena.allocate(1024);
                api.enqueueRead(queue, memory, 0, 1024, back.address(), false);
                api.finish(queue);
                assertThat(api.eventStatus(written)).isZero();
                api.releaseEvent(written);
                assertThat(back.mismatch(host)).as("round %d", round).isEqualTo(-1);
            }
        }
        api.finish(other);
        api.releaseMemory(memory);
        api.releaseQueue(other);
    }

    @Test
    void writesReadsAndMaps() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(256);
            host.fill((byte) 9);
            long memory = api.createBuffer(context, Cl.MEM_READ_WRITE, 1024, 0);
            api.enqueueZero(queue, memory, 128, 0, 1024, false);
            assertThat(api.enqueueWrite(queue, memory, 512, 256, host.address(), false)).isZero();
            api.finish(queue);
            host.fill((byte) 1);
            long event = api.enqueueRead(queue, memory, 384, 256, host.address(), true);
            api.flush(queue);
            api.waitFor(event);
            assertThat(api.eventStatus(event)).isZero();
            assertThat(api.eventTime(event, Cl.PROFILING_COMMAND_END))
                    .isGreaterThanOrEqualTo(api.eventTime(event, Cl.PROFILING_COMMAND_START));
            api.releaseEvent(event);
            assertThat(host.get(ValueLayout.JAVA_BYTE, 127)).isZero();
            assertThat(host.get(ValueLayout.JAVA_BYTE, 128)).isEqualTo((byte) 9);
            long address = api.map(queue, memory, Cl.MAP_READ | Cl.MAP_WRITE, 512, 512);
            MemorySegment mapped = MemorySegment.ofAddress(address).reinterpret(512);
            assertThat(mapped.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 9);
            assertThat(mapped.get(ValueLayout.JAVA_BYTE, 255)).isEqualTo((byte) 9);
            assertThat(mapped.get(ValueLayout.JAVA_BYTE, 256)).isZero();
            mapped.set(ValueLayout.JAVA_BYTE, 256, (byte) 7);
            long unmapped = api.enqueueUnmap(queue, memory, address, true);
            api.flush(queue);
            api.waitFor(unmapped);
            assertThat(api.eventStatus(unmapped)).isZero();
            api.releaseEvent(unmapped);
            long[] again = new long[1];
            long mappedAgain = api.enqueueMap(queue, memory, Cl.MAP_READ, 768, 256, again);
            api.flush(queue);
            api.waitFor(mappedAgain);
            assertThat(api.eventStatus(mappedAgain)).isZero();
            api.releaseEvent(mappedAgain);
            assertThat(MemorySegment.ofAddress(again[0]).reinterpret(256).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
            assertThat(api.enqueueUnmap(queue, memory, again[0], false)).isZero();
            api.enqueueRead(queue, memory, 768, 1, host.address(), false);
            api.finish(queue);
            assertThat(host.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
            assertThatExceptionOfType(OpenClFailedException.class)
                    .isThrownBy(() -> api.map(queue, memory, Cl.MAP_READ, 1000, 100))
                    .withMessageContaining("clEnqueueMapBuffer").withMessageContaining("offset=1000, bytes=100");
            api.releaseMemory(memory);
        }
    }

    @Test
    void namesTheCallTheStatusAndTheSize() {
        assertThatExceptionOfType(OpenClFailedException.class)
                .isThrownBy(() -> api.createBuffer(context, Cl.MEM_READ_WRITE, 0, 0))
                .withMessageContaining("clCreateBuffer failed: status=CL_INVALID_BUFFER_SIZE(-61), bytes=0");
        long memory = api.createBuffer(context, Cl.MEM_READ_WRITE, 1024, 0);
        assertThatExceptionOfType(OpenClFailedException.class)
                .isThrownBy(() -> api.enqueueCopy(queue, memory, memory, 0, 256, 513, true))
                .satisfies(e -> assertThat(e.call()).isEqualTo("clEnqueueCopyBuffer"))
                .withMessageContaining("bytes=513");
        assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(() -> api.createSubBuffer(memory, 0, 2048))
                .satisfies(e -> assertThat(e.call()).isEqualTo("clCreateSubBuffer")).withMessageContaining("bytes=2048");
        assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(() -> api.deviceNumber(id.device(), 0x7777))
                .withMessageContaining("query=0x7777");
        api.releaseMemory(memory);
    }

    @Test
    void namesTheKernelThatIsNotThere() {
        long program = api.createProgram(context, "kernel void k(global int *a) { }");
        assertThat(api.build(program, id.device(), "")).isTrue();
        assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(() -> api.createKernel(program, "other"))
                .withMessageContaining("CL_INVALID_KERNEL_NAME").withMessageContaining("other");
        api.releaseProgram(program);
    }

    @Test
    void saysWhatHoldsForAKernelOnADevice() {
        long program = api.createProgram(context, """
                kernel __attribute__((reqd_work_group_size(8, 2, 1))) void k(global int *a) {
                    local int own[64];
                    own[get_local_id(0)] = 1;
                    barrier(CLK_LOCAL_MEM_FENCE);
                    a[0] = own[0];
                }
                """);
        assertThat(api.build(program, id.device(), "")).isTrue();
        long kernel = api.createKernel(program, "k");
        assertThat(api.kernelNumber(kernel, id.device(), Cl.KERNEL_WORK_GROUP_SIZE)).isBetween(16L, (long) id.info().maxWorkGroupSize());
        assertThat(api.kernelNumber(kernel, id.device(), Cl.KERNEL_LOCAL_MEM_SIZE)).isGreaterThanOrEqualTo(256);
        byte[] group = api.kernelBytes(kernel, id.device(), Cl.KERNEL_COMPILE_WORK_GROUP_SIZE);
        assertThat(MemorySegment.ofArray(group).toArray(ValueLayout.JAVA_LONG_UNALIGNED)).containsExactly(8, 2, 1);
        assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(() -> api.kernelNumber(kernel, id.device(), 0x7777))
                .withMessageContaining("clGetKernelWorkGroupInfo failed").withMessageContaining("query=0x7777");
        assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(() -> api.kernelBytes(kernel, id.device(), 0x7777))
                .withMessageContaining("clGetKernelWorkGroupInfo failed").withMessageContaining("query=0x7777");
        api.releaseKernel(kernel);
        api.releaseProgram(program);
    }

    @Test
    void doublesSharedVirtualMemoryOfEveryKind() {
        Set<Svm> kinds = id.info().svm();
        assumeTrue(kinds.contains(Svm.COARSE_GRAIN_BUFFER), "the device has no shared virtual memory");
        doublesShared(Cl.MEM_READ_WRITE, false);
        if (kinds.contains(Svm.FINE_GRAIN_BUFFER)) {
            doublesShared(Cl.MEM_READ_WRITE | Cl.MEM_SVM_FINE_GRAIN_BUFFER, true);
        }
        if (kinds.containsAll(Set.of(Svm.FINE_GRAIN_BUFFER, Svm.ATOMICS))) {
            doublesShared(Cl.MEM_READ_WRITE | Cl.MEM_SVM_FINE_GRAIN_BUFFER | Cl.MEM_SVM_ATOMICS, true);
        }
    }

    /// The kernel gets the second half of the memory; where the memory is coarse, the host maps what it touches.
    private void doublesShared(long flags, boolean fine) {
        int half = 1024;
        long program = api.createProgram(context, "kernel void twice(global int *a) { a[get_global_id(0)] *= 2; }");
        assertThat(api.build(program, id.device(), "")).isTrue();
        long kernel = api.createKernel(program, "twice");
        long address = api.svmAllocate(context, flags, 2L * half * Integer.BYTES, 128);
        try {
            assertThat(address % 128).isZero();
            MemorySegment memory = MemorySegment.ofAddress(address).reinterpret(2L * half * Integer.BYTES);
            touch(memory, fine, Cl.MAP_WRITE, () -> {
                for (int i = 0; i < 2 * half; i++) {
                    memory.setAtIndex(JAVA_INT, i, i);
                }
            });
            api.setSvmPointer(kernel, 0, address + (long) half * Integer.BYTES);
            api.releaseEvent(api.enqueueKernel(queue, kernel, new long[] {half}, new long[0]));
            api.finish(queue);
            touch(memory.asSlice((half - 1) * 4L, 16), fine, Cl.MAP_READ, () -> assertThat(
                    memory.asSlice((half - 1) * 4L, 16).toArray(JAVA_INT))
                    .containsExactly(half - 1, 2 * half, 2 * (half + 1), 2 * (half + 2)));
        } finally {
            api.svmFree(context, address);
            api.releaseKernel(kernel);
            api.releaseProgram(program);
        }
    }

    private void touch(MemorySegment part, boolean fine, long flags, Runnable work) {
        if (!fine) {
            api.svmMap(queue, flags, part.address(), part.byteSize());
        }
        work.run();
        if (!fine) {
            api.enqueueSvmUnmap(queue, part.address());
            api.finish(queue);
        }
    }

    @Test
    void sharesMemoryThatNoByteBufferCouldHold() {
        long lengthBytes = 1L << 31;
        assumeTrue(id.info().svm().contains(Svm.FINE_GRAIN_BUFFER), "the device has no shared virtual memory of fine grain");
        assumeTrue(id.info().maxAllocationBytes() >= lengthBytes, "the device allocates less at a time");
        long address = api.svmAllocate(context, Cl.MEM_READ_WRITE | Cl.MEM_SVM_FINE_GRAIN_BUFFER, lengthBytes, 0);
        MemorySegment last = MemorySegment.ofAddress(address).reinterpret(lengthBytes).asSlice(lengthBytes - 4);
        last.set(JAVA_INT, 0, 5);
        assertThat(last.get(JAVA_INT, 0)).isEqualTo(5);
        api.svmFree(context, address);
    }

    @Test
    void givesSharedMemoryBack() throws IOException {
        assumeTrue(!id.info().svm().isEmpty(), "the device has no shared virtual memory");
        int rounds = 20;
        long lengthBytes = Math.min(64L << 20, id.info().maxAllocationBytes());
        long before = addressSpaceBytes();
        for (int i = 0; i < rounds; i++) {
            api.svmFree(context, api.svmAllocate(context, Cl.MEM_READ_WRITE, lengthBytes, 0));
        }
        assertThat(addressSpaceBytes() - before).isLessThan(rounds / 2 * lengthBytes);
    }

    /// Of this process, touched or not.
    private static long addressSpaceBytes() throws IOException {
        String pages = Files.readString(Path.of("/proc/self/statm")).split(" ", 2)[0];
        return Long.parseLong(pages) * 4096;
    }

    @Test
    void saysWhichSharedMemoryThereWasNot() {
        assumeTrue(!id.info().svm().isEmpty(), "the device has no shared virtual memory");
        long tooMuch = 1L << 50;
        assertThatExceptionOfType(OpenClFailedException.class)
                .isThrownBy(() -> api.svmAllocate(context, Cl.MEM_READ_WRITE, tooMuch, 0))
                .satisfies(e -> assertThat(e.call()).isEqualTo("clSVMAlloc"))
                .satisfies(e -> assertThat(e.status()).isEqualTo(ClStatus.MEM_OBJECT_ALLOCATION_FAILURE))
                .withMessageContaining("bytes=" + tooMuch);
        assertThatExceptionOfType(OpenClFailedException.class)
                .isThrownBy(() -> api.svmMap(queue, Cl.MAP_READ, 4096, 0))
                .withMessageContaining("clEnqueueSVMMap failed").withMessageContaining("bytes=0");
        long program = api.createProgram(context, "kernel void k(global int *a) { }");
        assertThat(api.build(program, id.device(), "")).isTrue();
        long kernel = api.createKernel(program, "k");
        assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(() -> api.setSvmPointer(kernel, 3, 4096))
                .withMessageContaining("clSetKernelArgSVMPointer failed").withMessageContaining("index=3, address=0x1000");
        try {
            api.letFollowSystemPointers(kernel); // POCL takes that of devices without system SVM as well
        } catch (OpenClFailedException e) {
            assertThat(id.info().svm()).doesNotContain(Svm.FINE_GRAIN_SYSTEM);
            assertThat(e).hasMessageContaining("clSetKernelExecInfo failed");
        }
        api.releaseKernel(kernel);
        api.releaseProgram(program);
    }
}
