package io.github.hmm4j.device.opencl;

import static io.github.hmm4j.device.HostRange.PAGE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.HmmException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The contract over a device with memory of its own, which keeps garbage in what nobody has written, and what only a device shows that can be held and lost.
@Tag("emulated-gpu")
abstract class EmulatedGpuDevice extends ClDeviceContract {

    private boolean opened;

    EmulatedGpuDevice(CopyMode mode) {
        super(ClBinding.LWJGL, mode);
    }

    @Override
    protected Device open() {
        if (!opened) {
            EmulatedGpu.reset();
            opened = true;
        }
        return super.open();
    }

    @Override
    protected void afterClose() {
        assertThat(EmulatedGpu.openObjects()).as("OpenCL objects that are still open").isZero();
    }

    /// Not here: it is about calls that do not reach the driver, and takes longer than all else.
    @Override
    void everyCallMayFailOnce() {}

    private static EmulatedGpu gpu() {
        return EmulatedGpu.number(0);
    }

    private DeviceMemory zeros() {
        DeviceMemory memory = device().allocate(2 * PAGE);
        engine().zero(memory, 0, 2 * PAGE).await();
        return memory;
    }

    private List<CopyRun> firstPage(DeviceMemory memory) {
        return List.of(new CopyRun(host().addressBytes(), memory, 0, PAGE));
    }

    private Completion fill(DeviceMemory memory, MemorySegment value) {
        try (DeviceKernel fill = program().kernel("fill")) {
            return fill.launch(List.of(new KernelArgument.Memory(memory), new KernelArgument.Value(value), new KernelArgument.Value(MemorySegment.ofArray(new int[] {4}))), NDRange.of(4));
        }
    }

    @Test
    void aHeldCopyStaysInFlightWhileKernelsRun() {
        DeviceMemory copied = zeros();
        DeviceMemory written = zeros();
        gpu().hold(Engine.TO_DEVICE);
        Completion copy = engine().toDevice(firstPage(copied));
        fill(written, MemorySegment.ofArray(new int[] {7})).await();
        assertThat(copy.isDone()).isFalse();
        assertThat(copy.deviceNanos()).isEqualTo(-1);
        gpu().resume();
        copy.await();
        assertThat(copy.isDone()).isTrue();
    }

    @Test
    void aValueIsReadDuringTheCallOnly() {
        DeviceMemory memory = zeros();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_INT);
            value.set(JAVA_INT, 0, 4);
            gpu().hold(Engine.COMPUTE);
            Completion end = fill(memory, value);
            value.set(JAVA_INT, 0, 1000);
            gpu().resume();
            end.await();
        }
        engine().toHost(firstPage(memory)).await();
        assertThat(host().bytes().getAtIndex(JAVA_INT, 3)).isEqualTo(4);
        assertThat(host().bytes().getAtIndex(JAVA_INT, 4)).isZero();
    }

    /// Nothing of it is left when it was closed, although closing tells that it was lost.
    @Test
    void losingTheDeviceEndsTheWorkInFlight() {
        DeviceMemory memory = zeros();
        gpu().hold(Engine.TO_DEVICE);
        Completion copy = engine().toDevice(firstPage(memory));
        gpu().lose();
        assertThatThrownBy(copy::await).isInstanceOf(DeviceLostException.class);
        assertThat(copy.isDone()).isTrue();
        assertThatThrownBy(() -> device().allocate(PAGE)).isInstanceOf(HmmException.class);
        assertThatThrownBy(device()::close).isInstanceOf(DeviceLostException.class);
    }
}
