package io.github.hmm4j.device;

import static io.github.hmm4j.device.HostRange.PAGE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.tuple;

import io.github.hmm4j.device.KernelArgument.Local;
import io.github.hmm4j.device.KernelArgument.Memory;
import io.github.hmm4j.device.KernelArgument.Value;
import io.github.hmm4j.device.KernelParameter.Space;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What every [Device] promises. A variant opens the device; the kernels are those of `device-contract.cl`.
@Timeout(120)
public abstract class DeviceContract {

    private static final int PAGES = 256;
    private static final int INTS = PAGE / Integer.BYTES;

    private Device device;
    private HostRange host;
    private CopyEngine engine;
    private DeviceProgram program;

    /// A device of its own for one test, with at least 64 MiB of memory.
    protected abstract Device open();

    /// Objects of the driver, or of what stands for it, that are still alive in devices opened by [#open()].
    protected abstract long liveObjects();

    /// Called after each test with the device closed.
    protected void afterClose() {}

    protected final Device device() {
        return device;
    }

    protected final HostRange host() {
        return host;
    }

    protected final CopyEngine engine() {
        return engine;
    }

    protected final DeviceProgram program() {
        return program;
    }

    @BeforeEach
    final void openDevice() {
        device = open();
        host = new HostRange((long) PAGES * PAGE);
        engine = device.copyEngine(host.addressBytes(), host.lengthBytes());
        program = device.build(Source.resource("device-contract.cl"), "-cl-std=CL1.2");
    }

    @AfterEach
    final void closeDeviceAndLeaveNothing() {
        if (device == null) { // what is asked for cannot be had here
            return;
        }
        device.close();
        host.close();
        assertThat(liveObjects()).as("live objects after close").isZero();
        afterClose();
    }

    // Memory.

    @Test
    void allocatesWhatWasAskedFor() {
        try (DeviceMemory memory = device.allocate(3 * PAGE)) {
            assertThat(memory.lengthBytes()).isEqualTo(3 * PAGE);
        }
    }

    @Test
    void refusesToAllocateNothingOrTooMuch() {
        long tooMuch = device.info().maxAllocationBytes() + 1;
        assertThatIllegalArgumentException().isThrownBy(() -> device.allocate(0))
                .withMessageContaining("lengthBytes=0");
        assertThatIllegalArgumentException().isThrownBy(() -> device.allocate(-1))
                .withMessageContaining("lengthBytes=-1");
        assertThatIllegalArgumentException().isThrownBy(() -> device.allocate(tooMuch))
                .withMessageContaining("lengthBytes=" + tooMuch);
    }

    @Test
    void aSliceIsAPartOfItsMemory() {
        int align = device.info().baseAlignmentBytes();
        DeviceMemory memory = zeroed(2);
        try (DeviceMemory slice = memory.slice(PAGE, PAGE); DeviceMemory inner = slice.slice(align, align)) {
            assertThat(slice.lengthBytes()).isEqualTo(PAGE);
            fill(slice, 7, 1).await();
            fill(inner, 9, align / Integer.BYTES).await();
        }
        int[] ints = read(memory, 2);
        assertThat(ints[INTS - 1]).isZero();
        assertThat(ints[INTS]).isEqualTo(7);
        assertThat(ints[INTS + 1]).isZero();
        assertThat(ints[INTS + align / Integer.BYTES - 1]).isZero();
        assertThat(ints[INTS + align / Integer.BYTES]).isEqualTo(9);
        assertThat(ints[INTS + 2 * align / Integer.BYTES - 1]).isEqualTo(9);
        assertThat(ints[INTS + 2 * align / Integer.BYTES]).isZero();
    }

    @Test
    void refusesSlicesThatAreMisalignedEmptyOrOutside() {
        DeviceMemory memory = device.allocate(2 * PAGE);
        assertThatIllegalArgumentException().isThrownBy(() -> memory.slice(1, 4))
                .withMessageContaining("offsetBytes=1");
        assertThatIllegalArgumentException().isThrownBy(() -> memory.slice(0, 0))
                .withMessageContaining("lengthBytes=0");
        assertThatIllegalArgumentException().isThrownBy(() -> memory.slice(PAGE, PAGE + 1))
                .withMessageContaining("lengthBytes=4097");
        assertThatIllegalArgumentException().isThrownBy(() -> memory.slice(-PAGE, PAGE))
                .withMessageContaining("offsetBytes=-4096");
        assertThatIllegalArgumentException().isThrownBy(() -> memory.slice(PAGE, Long.MAX_VALUE));
    }

    @Test
    void memoryClosesTwiceAndIsThenRefused() {
        DeviceMemory memory = device.allocate(PAGE);
        memory.close();
        memory.close();
        assertThatIllegalStateException().isThrownBy(() -> engine.zero(memory, 0, PAGE));
        assertThatIllegalStateException().isThrownBy(() -> fill(memory, 1, 1));
    }

    // Copies.

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void copiesLikeAByteArray(long seed) {
        var memories = List.of(device.allocate((long) PAGES * PAGE), device.allocate((long) PAGES * PAGE));
        var model = new CopyModel(seed, host, memories, engine, PAGES);
        for (int i = 0; i < 60; i++) {
            model.step();
        }
        model.compare();
    }

    @Test
    void bringsBackWhatWasWrittenLast() {
        DeviceMemory memory = device.allocate(PAGE);
        for (byte round = 1; round < 20; round++) {
            host.pages(0, 1).fill(round);
            engine.toDevice(List.of(host.run(0, memory, 0, 1))).await();
            host.pages(0, 2).fill((byte) -1);
            engine.toHost(List.of(host.run(1, memory, 0, 1))).await();
            assertThat(host.pages(1, 1).get(JAVA_BYTE, PAGE - 1)).isEqualTo(round);
            assertThat(host.pages(0, 1).get(JAVA_BYTE, 0)).isEqualTo((byte) -1);
        }
    }

    @Test
    void keepsManyBatchesInFlight() {
        DeviceMemory memory = device.allocate((long) PAGES * PAGE);
        host.fillRandomly(new SplittableRandom(5));
        byte[] before = host.bytes().toArray(JAVA_BYTE);
        List<Completion> up = new ArrayList<>();
        for (int page = 0; page < PAGES; page++) {
            up.add(engine.toDevice(List.of(host.run(page, memory, PAGES - 1 - page, 1))));
        }
        up.forEach(Completion::await);
        host.bytes().fill((byte) 0);
        List<Completion> down = new ArrayList<>();
        for (int page = 0; page < PAGES; page++) {
            down.add(engine.toHost(List.of(host.run(page, memory, PAGES - 1 - page, 1))));
        }
        // The last one first: those before it have then ended too.
        Collections.reverse(down);
        down.forEach(Completion::await);
        assertThat(host.bytes().mismatch(MemorySegment.ofArray(before))).isEqualTo(-1);
    }

    @Test
    void copiesOneRunLargerThanAnyBuffer() {
        long pages = 24 << 20 >> 12;
        try (var big = new HostRange(pages * PAGE); CopyEngine bigEngine = device.copyEngine(big.addressBytes(),
                big.lengthBytes())) {
            DeviceMemory memory = device.allocate(big.lengthBytes());
            big.fillRandomly(new SplittableRandom(6));
            long sum = sum(big.bytes());
            bigEngine.toDevice(List.of(big.run(0, memory, 0, pages))).await();
            big.bytes().fill((byte) 0);
            bigEngine.toHost(List.of(big.run(0, memory, 0, pages))).await();
            assertThat(sum(big.bytes())).isEqualTo(sum);
        }
    }

    @Test
    void aBatchCanBePolledToItsEnd() {
        DeviceMemory memory = device.allocate((long) PAGES * PAGE);
        host.bytes().fill((byte) 3);
        Completion up = engine.toDevice(List.of(host.run(0, memory, 0, PAGES)));
        while (!up.isDone()) {
            Thread.onSpinWait();
        }
        host.bytes().fill((byte) 0);
        Completion down = engine.toHost(List.of(host.run(0, memory, 0, PAGES)));
        while (!down.isDone()) {
            Thread.onSpinWait();
        }
        assertThat(host.bytes().get(JAVA_BYTE, (long) PAGES * PAGE - 1)).isEqualTo((byte) 3);
    }

    @Test
    void anEmptyBatchIsDone() {
        assertThat(engine.toDevice(List.of()).isDone()).isTrue();
        assertThat(engine.toHost(List.of()).isDone()).isTrue();
    }

    @Test
    void oneBadRunRefusesTheBatch() {
        DeviceMemory memory = zeroed(4);
        host.bytes().fill((byte) 5);
        CopyRun good = host.run(0, memory, 0, 1);
        List<CopyRun> bad = List.of(
                host.run(PAGES - 1, memory, 0, 2),
                host.run(-1, memory, 0, 1),
                host.run(0, memory, 4, 1),
                host.run(0, memory, -1, 1),
                host.run(0, memory, 0, 0),
                host.run(0, memory.slice(PAGE, PAGE), 0, 1));
        for (CopyRun run : bad) {
            assertThatIllegalArgumentException().as(run.toString())
                    .isThrownBy(() -> engine.toDevice(List.of(good, run)));
            assertThatIllegalArgumentException().as(run.toString()).isThrownBy(() -> engine.toHost(List.of(good, run)));
        }
        assertThat(read(memory, 1)).containsOnly(0);
    }

    @Test
    void refusesMemoryOfAnotherDevice() {
        try (Device other = open()) {
            DeviceMemory foreign = other.allocate(PAGE);
            assertThatIllegalArgumentException().isThrownBy(() -> engine.toDevice(List.of(host.run(0, foreign, 0, 1))));
            assertThatIllegalArgumentException().isThrownBy(() -> engine.zero(foreign, 0, PAGE));
            assertThatIllegalArgumentException().isThrownBy(() -> fill(foreign, 1, 1)).withMessageContaining("fill")
                    .withMessageContaining("out");
        }
    }

    @Test
    void refusesFillsOutside() {
        DeviceMemory memory = device.allocate(2 * PAGE);
        assertThatIllegalArgumentException().isThrownBy(() -> engine.zero(memory, PAGE, PAGE + 1));
        assertThatIllegalArgumentException().isThrownBy(() -> engine.zero(memory, 0, 0));
    }

    @Test
    void copiesFromSeveralThreadsDoNotMix() throws Exception {
        int threads = 4;
        int share = PAGES / threads;
        DeviceMemory memory = device.allocate((long) PAGES * PAGE);
        inThreads(threads, thread -> {
            for (byte round = 0; round < 30; round++) {
                MemorySegment mine = host.pages((long) thread * share, share);
                mine.fill((byte) (round + thread));
                engine.toDevice(List.of(host.run((long) thread * share, memory, (long) thread * share, share))).await();
                mine.fill((byte) -1);
                engine.toHost(List.of(host.run((long) thread * share, memory, (long) thread * share, share))).await();
                assertThat(mine.get(JAVA_BYTE, 0)).isEqualTo((byte) (round + thread));
                assertThat(mine.get(JAVA_BYTE, mine.byteSize() - 1)).isEqualTo((byte) (round + thread));
            }
        });
    }

    @Test
    void aClosedEngineRefuses() {
        CopyEngine another = device.copyEngine(host.addressBytes(), host.lengthBytes());
        DeviceMemory memory = device.allocate(PAGE);
        another.toDevice(List.of(host.run(0, memory, 0, 1)));
        another.close();
        another.close();
        assertThatIllegalStateException().isThrownBy(() -> another.toDevice(List.of(host.run(0, memory, 0, 1))));
        assertThatIllegalStateException().isThrownBy(() -> another.zero(memory, 0, PAGE));
    }

    // Kernels.

    @Test
    void namesItsKernelsAndParameters() {
        assertThat(program.kernelNames()).contains("fill", "add", "scale", "reverse", "place");
        assertThat(program.kernel("add").parameters()).containsExactly(
                new KernelParameter(0, "out", "uint*", Space.GLOBAL, false),
                new KernelParameter(1, "in", "uint*", Space.GLOBAL, true),
                new KernelParameter(2, "n", "uint", Space.PRIVATE, false));
        assertThat(program.kernel("scale").parameters())
                .extracting(KernelParameter::space, KernelParameter::isConst, KernelParameter::isMemory)
                .startsWith(tuple(Space.GLOBAL, false, true), tuple(Space.CONSTANT, true, true));
        assertThat(program.kernel("reverse").parameters().get(1).space()).isEqualTo(Space.LOCAL);
    }

    @Test
    void refusesAKernelThatIsNotThere() {
        assertThatIllegalArgumentException().isThrownBy(() -> program.kernel("nothing"))
                .withMessageContaining("kernel=nothing").withMessageContaining("reverse");
    }

    @Test
    void passesEveryKindOfArgument() {
        DeviceMemory out = zeroed(1);
        DeviceMemory table = device.allocate(PAGE);
        host.pages(0, 1).copyFrom(MemorySegment.ofArray(new float[] {1, 2, 3, 4}));
        engine.toDevice(List.of(host.run(0, table, 0, 1))).await();
        Value factor = new Value(MemorySegment.ofArray(new float[] {10, 0.5f}));
        program.kernel("scale").launch(List.of(new Memory(out), new Memory(table), factor), NDRange.of(8)).await();
        engine.toHost(List.of(host.run(1, out, 0, 1))).await();
        float[] floats = host.pages(1, 1).asSlice(0, 36).toArray(JAVA_FLOAT);
        assertThat(floats).containsExactly(10.5f, 20.5f, 30.5f, 40.5f, 10.5f, 20.5f, 30.5f, 40.5f, 0f);
    }

    @Test
    void passesLocalMemory() {
        DeviceMemory data = device.allocate(PAGE);
        host.pages(0, 1).copyFrom(MemorySegment.ofArray(IntStream.range(0, 16).toArray()));
        engine.toDevice(List.of(host.run(0, data, 0, 1))).await();
        program.kernel("reverse")
                .launch(List.of(new Memory(data), new Local(8 * Integer.BYTES)), NDRange.of(16).local(8)).await();
        assertThat(read(data, 1)).startsWith(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
    }

    @Test
    void runsInThreeDimensions() {
        DeviceMemory out = zeroed(1);
        program.kernel("place").launch(List.of(new Memory(out)), NDRange.of(3, 2, 2).local(1, 2, 1)).await();
        assertThat(read(out, 1)).startsWith(0, 1, 2, 100, 101, 102, 10000, 10001, 10002, 10100, 10101, 10102, 0);
    }

    @Test
    void namesTheArgumentThatDoesNotFit() {
        DeviceMemory memory = zeroed(1);
        DeviceKernel add = program.kernel("add");
        assertThatIllegalArgumentException().isThrownBy(() -> add.launch(List.of(new Memory(memory)), NDRange.of(1)))
                .withMessageContaining("kernel=add").withMessageContaining("arguments=1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> add.launch(List.of(new Memory(memory), uint(1), uint(1)), NDRange.of(1)))
                .withMessageContaining("kernel=add").withMessageContaining("uint* in");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> add.launch(List.of(new Memory(memory), new Memory(memory), new Memory(memory)),
                        NDRange.of(1)))
                .withMessageContaining("uint n");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> add.launch(List.of(new Memory(memory), new Memory(memory), new Local(4)),
                        NDRange.of(1)))
                .withMessageContaining("uint n");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> add.launch(
                        List.of(new Memory(memory), new Memory(memory), new Value(MemorySegment.ofArray(new long[1]))),
                                NDRange.of(1)))
                .withMessageContaining("kernel=add").withMessageContaining("uint n").withMessageContaining("8");
        assertThat(read(memory, 1)).containsOnly(0);
    }

    @Test
    void refusesWorkGroupsThatAreTooLarge() {
        DeviceMemory memory = zeroed(1);
        DeviceKernel place = program.kernel("place");
        long most = place.limits().groupItems();
        assertThat(most).isBetween(1L, (long) device.info().maxWorkGroupSize());
        assertThat(place.limits().localBytes()).isEqualTo(device.info().localMemoryBytes());
        long side = place.limits().itemsPerSide().getFirst() + 1;
        List<NDRange> tooLarge = List.of(
                NDRange.of(2 * most).local(2 * most),
                NDRange.of(2, most).local(2, most),
                NDRange.of(Long.MAX_VALUE / 4, 2, 2).local(Long.MAX_VALUE / 4, 2, 2),
                NDRange.of(side, 1, 1).local(side, 1, 1));
        for (NDRange range : tooLarge) {
            assertThatIllegalArgumentException().isThrownBy(() -> place.launch(List.of(new Memory(memory)), range))
                    .withMessageContaining("kernel=place").withMessageContaining("range=" + range)
                    .satisfies(e -> assertThat(e.getMessage())
                            .containsAnyOf("CL_KERNEL_WORK_GROUP_SIZE=" + most, "CL_DEVICE_MAX_WORK_ITEM_SIZES=[" + (side - 1)));
        }
        assertThat(read(memory, 1)).containsOnly(0);
    }

    @Test
    void runsInTheWorkGroupThatTheKernelRequires() {
        DeviceMemory memory = zeroed(1);
        DeviceKernel eights = program.kernel("eights");
        assertThat(eights.limits().requiredGroup()).containsExactly(8L, 1L, 1L);
        assertThat(program.kernel("place").limits().requiredGroup()).isEmpty();
        List<NDRange> others = List.of(NDRange.of(16).local(4), NDRange.of(16, 2).local(8, 2), NDRange.of(16).local(16), NDRange.of(12));
        for (NDRange range : others) {
            assertThatIllegalArgumentException().isThrownBy(() -> eights.launch(List.of(new Memory(memory)), range))
                    .withMessageContaining("kernel=eights").withMessageContaining("range=" + range).withMessageContaining("reqd_work_group_size=[8, 1, 1]");
        }
        eights.launch(List.of(new Memory(memory)), NDRange.of(16)).await();
        assertThat(read(memory, 1)).startsWith(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0);
        engine.zero(memory, 0, PAGE).await();
        eights.launch(List.of(new Memory(memory)), NDRange.of(16, 1).local(8, 1)).await();
        assertThat(read(memory, 1)).startsWith(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0);
    }

    @Test
    void refusesMoreLocalMemoryThanTheDeviceHas() {
        DeviceMemory memory = zeroed(1);
        DeviceKernel kernel = program.kernel("two_locals");
        long most = kernel.limits().localBytes();
        assertThat(most).isGreaterThanOrEqualTo(1 << 10);
        List<List<KernelArgument>> tooMuch = List.of(
                List.of(new Memory(memory), new Local(most + 1), new Local(4)),
                List.of(new Memory(memory), new Local(most / 2), new Local(most / 2 + 4)),
                List.of(new Memory(memory), new Local(Long.MAX_VALUE), new Local(Long.MAX_VALUE)));
        for (List<KernelArgument> arguments : tooMuch) {
            assertThatIllegalArgumentException().isThrownBy(() -> kernel.launch(arguments, NDRange.of(1)))
                    .withMessageContaining("kernel=two_locals").withMessageContaining("CL_DEVICE_LOCAL_MEM_SIZE=" + most);
        }
        assertThat(read(memory, 1)).containsOnly(0);
        kernel.launch(List.of(new Memory(memory), new Local(16), new Local(most / 2)), NDRange.of(4)).await();
        assertThat(read(memory, 1)).startsWith(0, 3, 6, 9, 0);
    }

    @Test
    void refusesSizesOfNothing() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Value(MemorySegment.ofArray(new int[0]))).withMessageContaining("valueBytes=0");
        assertThatIllegalArgumentException().isThrownBy(() -> new Local(0)).withMessageContaining("lengthBytes=0");
    }

    @Test
    void whoeverAsksLaterHearsHowLongALaunchTook() {
        DeviceMemory memory = zeroed(1);
        Completion nobodyAsked = fill(memory, 1, 1);
        fill(memory, 2, 1).await(); // launches run in order, so both have ended
        assertThat(nobodyAsked.deviceNanos()).isNotNegative();
    }

    @Test
    void launchesRunInOrder() {
        DeviceMemory sum = zeroed(1);
        DeviceMemory one = zeroed(1);
        fill(one, 1, INTS).await();
        DeviceKernel add = program.kernel("add");
        for (int i = 0; i < 100; i++) {
            add.launch(List.of(new Memory(sum), new Memory(one), uint(INTS)), NDRange.of(INTS));
        }
        fill(one, 0, INTS).await();
        assertThat(read(sum, 1)).containsOnly(100);
    }

    @Test
    void concurrentLaunchesDoNotMixTheirArguments() throws Exception {
        int threads = 4;
        DeviceKernel shared = program.kernel("fill");
        List<DeviceMemory> memories = IntStream.range(0, threads).mapToObj(_ -> zeroed(1)).toList();
        inThreads(threads, thread -> {
            for (int round = 1; round <= 200; round++) {
                shared.launch(List.of(new Memory(memories.get(thread)), uint(1000 * thread + round), uint(thread + 1)),
                        NDRange.of(8)).await();
            }
        });
        for (int thread = 0; thread < threads; thread++) {
            int[] ints = read(memories.get(thread), 1);
            assertThat(ints[0]).isEqualTo(1000 * thread + 200);
            assertThat(ints[thread]).isEqualTo(1000 * thread + 200);
            assertThat(ints[thread + 1]).isZero();
        }
    }

    // Completions.

    @Test
    void anyNumberOfThreadsMayWait() throws Exception {
        DeviceMemory memory = zeroed(1);
        for (int round = 0; round < 50; round++) {
            Completion completion = fill(memory, round, INTS);
            inThreads(4, thread -> {
                if (thread == 0) {
                    while (!completion.isDone()) {
                        Thread.onSpinWait();
                    }
                }
                completion.await();
                assertThat(completion.isDone()).isTrue();
            });
            completion.await();
            assertThat(completion.deviceNanos()).isGreaterThanOrEqualTo(-1);
        }
    }

    @Test
    void launchesNobodyWaitsForLeaveNothing() {
        DeviceMemory memory = zeroed(1);
        for (int i = 0; i < 1000; i++) {
            fill(memory, i, INTS);
        }
        fill(memory, 1, 1).await();
        assertThat(read(memory, 1)).startsWith(1, 999);
    }

    // The end.

    @Test
    void close_with_work_in_flight() {
        DeviceMemory memory = device.allocate((long) PAGES * PAGE);
        DeviceMemory filled = device.allocate((long) PAGES * PAGE);
        List<Completion> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            all.add(fill(filled, i, INTS)); // nothing orders the two queues
            all.add(engine.toDevice(List.of(host.run(0, memory, 0, PAGES))));
            all.add(engine.toHost(List.of(host.run(0, memory, 0, PAGES))));
        }
        device.close();
        assertThat(liveObjects()).isZero();
        assertThat(all).allMatch(Completion::isDone);
        all.forEach(Completion::await);
    }

    @Test
    void optionsThatACompilerWouldCutOffAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> device.build(Source.resource("device-contract.cl"),
                "-DA=1\0 -DB=2"))
                .withMessageContainingAll("index=5", "-DA=1");
    }

    @Test
    void aClosedDeviceRefuses() {
        DeviceMemory memory = device.allocate(PAGE);
        DeviceKernel kernel = program.kernel("fill");
        device.close();
        device.close();
        assertThatIllegalStateException().isThrownBy(() -> device.allocate(PAGE));
        assertThatIllegalStateException().isThrownBy(() -> device.build(Source.resource("device-contract.cl"), ""));
        assertThatIllegalStateException().isThrownBy(() -> device.copyEngine(host.addressBytes(), host.lengthBytes()));
        assertThatIllegalStateException()
                .isThrownBy(() -> kernel.launch(List.of(new Memory(memory), uint(1), uint(1)), NDRange.of(1)));
        assertThatCode(() -> {
            engine.close();
            kernel.close();
            program.close();
            memory.close();
        }).doesNotThrowAnyException();
    }

    @Test
    void close_while_launching() throws Exception {
        List<DeviceMemory> memories = List.of(zeroed(1), zeroed(1), zeroed(1)); // nothing orders what threads do
        inThreads(3, thread -> {
            DeviceMemory memory = memories.get(thread);
            if (thread == 0) {
                fill(memory, 1, 1).await();
                device.close();
                return;
            }
            try {
                while (true) {
                    fill(memory, thread, INTS).await();
                    engine.zero(memory, 0, PAGE).await();
                }
            } catch (IllegalStateException expected) {
                assertThat(expected).hasMessageContaining("closed");
            }
        });
        assertThat(liveObjects()).isZero();
    }

    // Set-up in words.

    protected final Completion fill(DeviceMemory memory, int value, int count) {
        return program.kernel("fill").launch(List.of(new Memory(memory), uint(value), uint(count)), NDRange.of(INTS));
    }

    protected final DeviceMemory zeroed(int pages) {
        DeviceMemory memory = device.allocate((long) pages * PAGE);
        engine.zero(memory, 0, (long) pages * PAGE).await();
        return memory;
    }

    /// The first pages of `memory`, through the last pages of the host range.
    protected final int[] read(DeviceMemory memory, int pages) {
        engine.toHost(List.of(host.run(PAGES - pages, memory, 0, pages))).await();
        return host.pages(PAGES - pages, pages).toArray(JAVA_INT);
    }

    protected static Value uint(int value) {
        return new Value(MemorySegment.ofArray(new int[] {value}));
    }

    private static long sum(MemorySegment bytes) {
        long sum = 0;
        for (long i = 0; i < bytes.byteSize() / Long.BYTES; i++) {
            sum = 31 * sum + bytes.getAtIndex(JAVA_LONG, i);
        }
        return sum;
    }

    @FunctionalInterface
    private interface Body {
        void run(int thread) throws Exception;
    }

    private static void inThreads(int threads, Body body) throws Exception {
        try (var pool = Executors.newFixedThreadPool(threads)) {
            List<Callable<Void>> tasks = IntStream.range(0, threads).<Callable<Void>>mapToObj(thread -> () -> {
                body.run(thread);
                return null;
            }).toList();
            for (Future<Void> done : pool.invokeAll(tasks)) {
                done.get();
            }
        }
    }
}
