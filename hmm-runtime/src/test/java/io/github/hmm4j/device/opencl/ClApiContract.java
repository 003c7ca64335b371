package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.hmm4j.error.OpenClFailedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
            long address = api.map(queue, memory, Cl.MAP_READ | Cl.MAP_WRITE, 1024);
            MemorySegment mapped = MemorySegment.ofAddress(address).reinterpret(1024);
            assertThat(mapped.get(ValueLayout.JAVA_BYTE, 767)).isEqualTo((byte) 9);
            assertThat(mapped.get(ValueLayout.JAVA_BYTE, 768)).isZero();
            api.enqueueUnmap(queue, memory, address);
            api.finish(queue);
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
                .isThrownBy(() -> api.enqueueCopy(queue, memory, memory, 0, 512, 513, true))
                .satisfies(e -> assertThat(e.call()).isEqualTo("clEnqueueCopyBuffer"))
                .withMessageContaining("bytes=513");
        assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(() -> api.createSubBuffer(memory, 1, 16))
                .withMessageContaining("CL_MISALIGNED_SUB_BUFFER_OFFSET");
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
}
