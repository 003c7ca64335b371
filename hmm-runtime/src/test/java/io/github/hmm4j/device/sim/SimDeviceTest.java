package io.github.hmm4j.device.sim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class SimDeviceTest {

    private static final int PAGE = 4096;
    private static final String ADD = "kernel void add(global const int *a, global int *b, int n)";
    private static final Source SOURCE =
            Source.text("add.cl", ADD + " { int i = get_global_id(0); if (i < n) b[i] += a[i]; }");

    private final SimKernels kernels = new SimKernels().add(ADD, (args, _) -> {
        for (int i = 0; i < args.intValue(2); i++) {
            int sum = args.memory(0).getAtIndex(JAVA_INT, i) + args.memory(1).getAtIndex(JAVA_INT, i);
            args.memory(1).setAtIndex(JAVA_INT, i, sum);
        }
    });
    private final SimDevice device =
            SimDevice.builder().memory(64 * PAGE).maxAllocation(32 * PAGE).kernels(kernels).open();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment host = arena.allocate(16 * PAGE, PAGE);
    private final CopyEngine engine = device.copyEngine(host.address(), host.byteSize());

    @AfterEach
    void close() {
        device.close();
        arena.close();
    }

    @Test
    void copiesToTheDeviceAndBack() {
        DeviceMemory memory = device.allocate(4 * PAGE);
        ramp(0, 2);
        engine.toDevice(List.of(run(0, memory, 1), run(1, memory, 3))).await();
        engine.toHost(List.of(run(4, memory, 1), run(5, memory, 3))).await();
        assertThat(page(4).mismatch(page(0))).isEqualTo(-1);
        assertThat(page(5).mismatch(page(1))).isEqualTo(-1);
        assertThat(device.undefinedReads()).isZero();
    }

    @Test
    void copiesAreRealAndNotTheHostPages() {
        DeviceMemory memory = device.allocate(PAGE);
        ramp(0, 1);
        engine.toDevice(List.of(run(0, memory, 0))).await();
        page(0).fill((byte) 7);
        engine.toHost(List.of(run(1, memory, 0))).await();
        assertThat(page(1).getAtIndex(JAVA_INT, 5)).isEqualTo(5);
    }

    @Test
    void copiesAndZeroesWithinTheDevice() {
        DeviceMemory memory = device.allocate(4 * PAGE);
        ramp(0, 1);
        engine.toDevice(List.of(run(0, memory, 0))).await();
        engine.onDevice(memory, 0, memory, 2 * PAGE, PAGE).await();
        engine.zero(memory, PAGE, PAGE).await();
        engine.toHost(List.of(run(1, memory, 2), run(2, memory, 1))).await();
        assertThat(page(1).mismatch(page(0))).isEqualTo(-1);
        assertThat(page(2).toArray(JAVA_BYTE)).containsOnly(0);
        assertThat(device.undefinedReads()).isZero();
    }

    @Test
    void readingWhatWasNeverWrittenIsCountedAndGarbage() {
        DeviceMemory memory = device.allocate(2 * PAGE);
        engine.toHost(List.of(run(0, memory, 0))).await();
        assertThat(device.undefinedReads()).isEqualTo(1);
        assertThat(page(0).toArray(JAVA_BYTE)).containsOnly(SimMemory.SCRIBBLE);
        // A copy of garbage is garbage.
        engine.onDevice(memory, 0, memory, PAGE, PAGE).await();
        engine.toHost(List.of(run(0, memory, 1))).await();
        assertThat(device.undefinedReads()).isEqualTo(3);
    }

    @Test
    void runsAKernelOnSlices() {
        DeviceMemory memory = device.allocate(2 * PAGE);
        ramp(0, 2);
        engine.toDevice(List.of(run(0, memory, 0), run(1, memory, 1))).await();
        try (DeviceMemory a = memory.slice(128, 400); DeviceMemory b = memory.slice(PAGE, PAGE);
                var program = device.build(SOURCE, ""); DeviceKernel add = program.kernel("add")) {
            assertThat(program.kernelNames()).containsExactly("add");
            add.launch(List.of(new KernelArgument.Memory(a), new KernelArgument.Memory(b), value(100)),
                    NDRange.of(100)).await();
        }
        engine.toHost(List.of(run(3, memory, 1))).await();
        assertThat(page(3).getAtIndex(JAVA_INT, 7)).isEqualTo(32 + 7 + PAGE / 4 + 7);
        assertThat(page(3).getAtIndex(JAVA_INT, 100)).isEqualTo(PAGE / 4 + 100);
    }

    @Test
    void aConstArgumentCannotBeWrittenAndAnOverrunIsCaught() {
        kernels.add("kernel void bad(global const int *a)", (args, _) -> args.memory(0).setAtIndex(JAVA_INT, 0, 1));
        kernels.add("kernel void far(global int *a)", (args, _) -> args.memory(0).setAtIndex(JAVA_INT, PAGE / 4, 1));
        Source source = Source.text("bad.cl",
                "kernel void bad(global const int *a) {} kernel void far(global int *a) {}");
        DeviceMemory memory = device.allocate(2 * PAGE);
        try (DeviceMemory first = memory.slice(0, PAGE); var program = device.build(source, "")) {
            for (String name : List.of("bad", "far")) {
                Completion end = program.kernel(name).launch(List.of(new KernelArgument.Memory(first)), NDRange.of(1));
                assertThatThrownBy(end::await).isInstanceOf(OpenClFailedException.class)
                        .hasMessageContaining("kernel=" + name)
                        .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
            }
        }
    }

    @Test
    void readsTheParametersOfADeclaration() {
        KernelDeclaration read = KernelDeclaration.parse("""
                __kernel __attribute__((reqd_work_group_size(8, 8, 1))) void k(  // a comment, with (brackets)
                    const __global float4 *restrict a, __constant uint *t, local int *tmp, global uchar * const out,
                    const unsigned int n, float f)""");
        assertThat(read.name()).isEqualTo("k");
        assertThat(read.parameters()).containsExactly(
                new KernelParameter(0, "a", "float4*", KernelParameter.Space.GLOBAL, true),
                new KernelParameter(1, "t", "uint*", KernelParameter.Space.CONSTANT, true),
                new KernelParameter(2, "tmp", "int*", KernelParameter.Space.LOCAL, false),
                new KernelParameter(3, "out", "uchar*", KernelParameter.Space.GLOBAL, false),
                new KernelParameter(4, "n", "unsigned int", KernelParameter.Space.PRIVATE, false),
                new KernelParameter(5, "f", "float", KernelParameter.Space.PRIVATE, false));
    }

    @Test
    void knowsWhatOfADeclarationCannotBePassed() {
        KernelDeclaration read = KernelDeclaration.parse("kernel __attribute__((reqd_work_group_size(4, 2, 1))) void k(read_only image2d_t picture, "
                + "sampler_t sampler, __write_only image3d_t out, read_only pipe int numbers, global int *n)");
        assertThat(read.parameters()).extracting(KernelParameter::space).containsExactly(KernelParameter.Space.OBJECT, KernelParameter.Space.OBJECT,
                KernelParameter.Space.OBJECT, KernelParameter.Space.OBJECT, KernelParameter.Space.GLOBAL);
        assertThat(read.parameters()).noneMatch(parameter -> parameter.isMemory() && parameter.index() < 4);
        assertThat(read.requiredGroup()).containsExactly(4L, 2L, 1L);
        assertThat(KernelDeclaration.parse("kernel void k(int n)").requiredGroup()).isEmpty();
    }

    @Test
    void refusesASourceWithoutAKnownKernelAndAKernelThatIsNotThere() {
        assertThatThrownBy(() -> device.build(Source.text("x.cl", "kernel void other() {}"), "-cl-std=CL1.2"))
                .isInstanceOf(KernelBuildException.class).hasMessageContaining("other").hasMessageContaining("[add]");
        try (var program = device.build(SOURCE, "")) {
            assertThatThrownBy(() -> program.kernel("sub")).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[add]");
        }
    }

    @Test
    void enforcesBothMemoryLimits() {
        assertThatThrownBy(() -> device.allocate(33 * PAGE)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxAllocationBytes=131072");
        DeviceMemory first = device.allocate(32 * PAGE);
        device.allocate(30 * PAGE);
        assertThatThrownBy(() -> device.allocate(3 * PAGE)).asInstanceOf(type(OpenClFailedException.class))
                .returns(-4, OpenClFailedException::status);
        first.close();
        first.close();
        assertThat(device.usedBytes()).isEqualTo(30 * PAGE);
        device.allocate(3 * PAGE);
    }

    @Test
    void aHeldCopyStaysInFlightWhileKernelsRun() {
        DeviceMemory memory = device.allocate(2 * PAGE);
        engine.zero(memory, 0, 2 * PAGE).await();
        device.pause(SimLane.COPY);
        ramp(0, 1);
        Completion copy = engine.toDevice(List.of(run(0, memory, 0)));
        launchAdd(memory).await();
        assertThat(copy.isDone()).isFalse();
        assertThat(copy.deviceNanos()).isEqualTo(-1);
        assertThatThrownBy(memory::close).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("workInFlight=1");
        Completion second = engine.zero(memory, PAGE, PAGE);
        device.step(SimLane.COPY);
        assertThat(copy.isDone()).isTrue();
        assertThat(copy.deviceNanos()).isNotNegative();
        assertThat(second.isDone()).isFalse();
        device.resume(SimLane.COPY);
        second.await();
        assertThat(device.completed(SimLane.COPY)).isEqualTo(device.submitted(SimLane.COPY)).isEqualTo(3);
    }

    @Test
    void aTestCanWaitForWorkToArrive() throws Exception {
        DeviceMemory memory = device.allocate(PAGE);
        device.pause(SimLane.COPY);
        List<Operation> seen = new ArrayList<>();
        device.onSubmit(seen::add);
        Thread other = Thread.ofPlatform().start(() -> engine.zero(memory, 0, PAGE).await());
        device.awaitSubmitted(SimLane.COPY, 1);
        assertThat(seen).containsExactly(Operation.ZERO);
        device.resume(SimLane.COPY);
        other.join();
    }

    @Test
    void aFailedCopyLeavesGarbageInItsTarget() {
        DeviceMemory memory = device.allocate(2 * PAGE);
        ramp(0, 1);
        engine.toDevice(List.of(run(0, memory, 0))).await();
        device.failNext(Operation.WAIT, 1);
        Completion copy = engine.toHost(List.of(run(1, memory, 0)));
        assertThatThrownBy(copy::await).isInstanceOf(OpenClFailedException.class)
                .hasMessageContaining("clWaitForEvents");
        assertThatThrownBy(copy::await).isInstanceOf(OpenClFailedException.class);
        assertThat(copy.isDone()).isTrue();
        assertThat(page(1).asSlice(PAGE / 2).toArray(JAVA_BYTE)).containsOnly(SimMemory.SCRIBBLE);
        device.failNext(Operation.COPY_TO_DEVICE, 1);
        assertThatThrownBy(() -> engine.toDevice(List.of(run(0, memory, 1)))).isInstanceOf(OpenClFailedException.class);
        engine.toHost(List.of(run(2, memory, 1))).await();
        assertThat(device.undefinedReads()).as("the target of a failed copy counts as unwritten").isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Operation.class)
    void everyOperationFailsWhenToldToAndOnlyThen(Operation operation) {
        everyOperation();
        long open = device.openObjects();
        long calls = device.calls(operation);
        assertThat(calls).isPositive();
        device.failAt(operation, calls + 1);
        everyOperation();
        assertThatThrownBy(this::everyOperation).isInstanceOf(OpenClFailedException.class)
                .hasMessageContaining(operation.call()).hasMessageContaining("device=sim");
        assertThat(device.calls(operation)).isEqualTo(2 * calls + 1);
        assertThat(device.openObjects()).as("nothing leaks").isEqualTo(open);
        device.failNext(operation, Integer.MAX_VALUE);
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(this::everyOperation).isInstanceOf(OpenClFailedException.class);
        }
        assertThat(device.openObjects()).as("nothing leaks").isEqualTo(open);
        assertThatThrownBy(() -> device.failNext(operation, -1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("count=-1");
        device.clearFailures();
        everyOperation();
    }

    @ParameterizedTest
    @EnumSource(Operation.class)
    void aLostDeviceFailsAtEverything(Operation operation) {
        device.onSubmit(at -> {
            if (at == operation) {
                device.loseDevice();
            }
        });
        if (operation == Operation.WAIT) {
            device.loseDevice();
        }
        assertThatThrownBy(this::everyOperation).isInstanceOf(DeviceLostException.class);
    }

    @Test
    void losingTheDeviceEndsTheWorkInFlight() {
        DeviceMemory memory = device.allocate(PAGE);
        device.pause(SimLane.COPY);
        Completion copy = engine.zero(memory, 0, PAGE);
        device.loseDevice();
        assertThatThrownBy(copy::await).isInstanceOf(DeviceLostException.class);
        assertThatThrownBy(() -> device.allocate(PAGE)).isInstanceOf(DeviceLostException.class);
        device.close();
        assertThat(device.usedBytes()).isZero();
    }

    @Test
    void refusesWhatACallerGetsWrong() {
        DeviceMemory memory = device.allocate(4 * PAGE);
        DeviceMemory slice = memory.slice(0, PAGE);
        assertThatThrownBy(() -> memory.slice(64, 64)).hasMessageContaining("offsetBytes=64");
        assertThatThrownBy(() -> memory.slice(0, 4 * PAGE + 1)).hasMessageContaining("outside");
        assertThatThrownBy(() -> engine.toDevice(List.of(run(0, slice, 0)))).hasMessageContaining("whole allocation");
        assertThatThrownBy(() -> engine.toDevice(List.of(run(16, memory, 0))))
                .hasMessageContaining("outside the engine");
        assertThatThrownBy(() -> engine.toDevice(List.of(run(0, memory, 4)))).hasMessageContaining("outside memory");
        assertThatThrownBy(() -> engine.toDevice(List.of(run(0, memory, 1), run(1, memory, 1))))
                .hasMessageContaining("overlap");
        assertThatThrownBy(() -> engine.toHost(List.of(run(0, memory, 1), run(0, memory, 2))))
                .hasMessageContaining("overlap");
        assertThatThrownBy(() -> engine.toDevice(List.of(new CopyRun(host.address(), memory, 0, 100))))
                .hasMessageContaining("aligned");
        assertThatThrownBy(() -> engine.onDevice(memory, 0, memory, 100, 101)).hasMessageContaining("overlap");
        assertThatThrownBy(memory::close).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("openSlices=1");
        slice.close();
        memory.close();
        assertThatThrownBy(() -> launchAdd(memory)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> engine.zero(memory, 0, PAGE)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> memory.slice(0, PAGE)).isInstanceOf(IllegalStateException.class);
        try (SimDevice other = SimDevice.builder().name("other").memory(PAGE).open()) {
            DeviceMemory foreign = other.allocate(PAGE);
            assertThatThrownBy(() -> engine.zero(foreign, 0, PAGE)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> launchAdd(foreign)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(device.submitted(SimLane.COPY)).isZero();
    }

    @Test
    void refusesArgumentsThatDoNotFit() {
        DeviceMemory memory = device.allocate(PAGE);
        KernelArgument pointer = new KernelArgument.Memory(memory);
        try (var program = device.build(SOURCE, ""); DeviceKernel add = program.kernel("add")) {
            assertThatThrownBy(() -> add.launch(List.of(pointer, pointer), NDRange.of(1)))
                    .hasMessageContaining("arguments=2");
            assertThatThrownBy(() -> add.launch(List.of(pointer, value(1), value(1)), NDRange.of(1)))
                    .hasMessageContaining("int* b");
            KernelArgument wide = new KernelArgument.Value(MemorySegment.ofArray(new long[1]));
            assertThatThrownBy(() -> add.launch(List.of(pointer, pointer, wide), NDRange.of(1)))
                    .hasMessageContaining("valueBytes=8");
            assertThatThrownBy(() -> add.launch(List.of(pointer, pointer, value(1)), NDRange.of(2048).local(2048)))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("CL_DEVICE_MAX_WORK_ITEM_SIZES=[1024, 1024, 1024]");
            assertThat(device.submitted(SimLane.COMPUTE)).isZero();
        }
    }

    @Test
    void aValueIsReadDuringTheCallOnly() {
        DeviceMemory memory = device.allocate(PAGE);
        engine.zero(memory, 0, PAGE).await();
        ramp(0, 1);
        DeviceMemory source = device.allocate(PAGE);
        engine.toDevice(List.of(run(0, source, 0))).await();
        MemorySegment n = arena.allocate(4);
        n.set(JAVA_INT, 0, 4);
        device.pause(SimLane.COMPUTE);
        try (var program = device.build(SOURCE, ""); DeviceKernel add = program.kernel("add")) {
            Completion end = add.launch(List.of(new KernelArgument.Memory(source), new KernelArgument.Memory(memory),
                    new KernelArgument.Value(n)), NDRange.of(4));
            n.set(JAVA_INT, 0, 1000);
            device.resume(SimLane.COMPUTE);
            end.await();
        }
        engine.toHost(List.of(run(1, memory, 0))).await();
        assertThat(page(1).getAtIndex(JAVA_INT, 3)).isEqualTo(3);
        assertThat(page(1).getAtIndex(JAVA_INT, 4)).isZero();
    }

    @Test
    void aCoherentDeviceUsesHostPagesInPlaceAtAnyByte() {
        ramp(0, 2);
        try (SimDevice coherent = SimDevice.builder().coherent(true).memory(PAGE).kernels(kernels).open()) {
            DeviceMemory pages = coherent.hostMemory(host.address(), 2 * PAGE);
            try (DeviceMemory a = pages.slice(4, 400); DeviceMemory b = pages.slice(PAGE + 12, 400);
                    var program = coherent.build(SOURCE, ""); DeviceKernel add = program.kernel("add")) {
                add.launch(List.of(new KernelArgument.Memory(a), new KernelArgument.Memory(b), value(1)),
                        NDRange.of(1)).await();
            }
            assertThat(page(1).getAtIndex(JAVA_INT, 3)).isEqualTo(1 + PAGE / 4 + 3);
            assertThat(coherent.usedBytes()).isZero();
            DeviceMemory left = pages.slice(1, 1);
            pages.close();
            assertThatThrownBy(() -> left.slice(0, 1)).isInstanceOf(IllegalStateException.class);
            assertThat(coherent.openObjects()).isZero();
        }
        assertThatThrownBy(() -> device.hostMemory(host.address(), PAGE))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("coherent=false");
    }

    @Test
    void closingEndsHeldWorkAndTakesEverythingBack() {
        DeviceMemory memory = device.allocate(PAGE);
        device.pause(SimLane.COPY);
        Completion held = engine.zero(memory, 0, PAGE);
        device.close();
        assertThat(held.isDone()).isTrue();
        held.await();
        assertThat(device.usedBytes()).isZero();
        assertThatThrownBy(() -> device.allocate(PAGE)).isInstanceOf(IllegalStateException.class);
        device.close();
    }

    /// Each operation at least once, leaving nothing open.
    private void everyOperation() {
        try (DeviceMemory memory = device.allocate(2 * PAGE)) {
            engine.zero(memory, 0, 2 * PAGE).await();
            engine.toDevice(List.of(run(0, memory, 0))).await();
            engine.onDevice(memory, 0, memory, PAGE, PAGE).await();
            engine.toHost(List.of(run(1, memory, 1))).await();
            try (DeviceMemory slice = memory.slice(0, PAGE)) {
                launchAdd(slice).await();
            }
        }
    }

    private Completion launchAdd(DeviceMemory memory) {
        KernelArgument pointer = new KernelArgument.Memory(memory);
        try (var program = device.build(SOURCE, ""); DeviceKernel add = program.kernel("add")) {
            return add.launch(List.of(pointer, pointer, value(4)), NDRange.of(4));
        }
    }

    private static KernelArgument value(int value) {
        return new KernelArgument.Value(MemorySegment.ofArray(new int[] {value}));
    }

    private CopyRun run(int hostPage, DeviceMemory memory, int frame) {
        return new CopyRun(host.address() + (long) hostPage * PAGE, memory, (long) frame * PAGE, PAGE);
    }

    private MemorySegment page(int index) {
        return host.asSlice((long) index * PAGE, PAGE);
    }

    private void ramp(int firstPage, int count) {
        for (int i = firstPage * PAGE / 4; i < (firstPage + count) * PAGE / 4; i++) {
            host.setAtIndex(JAVA_INT, i, i);
        }
    }
}
