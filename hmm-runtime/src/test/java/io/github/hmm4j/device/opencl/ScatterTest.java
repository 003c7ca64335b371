package io.github.hmm4j.device.opencl;

import static io.github.hmm4j.device.HostRange.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.device.HostRange;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What goes by a kernel and what by commands, and that bytes are right either way.
@Timeout(120)
final class ScatterTest {

    private static final int RUNS = 200; // in one slot of 2 MiB, each of one page
    private static final int COMMANDS_BY_KERNEL = Math.ceilDiv(RUNS, RunKernel.RUNS);

    /// A device, with host pages of which every second goes to a page of its memory and back.
    private static final class Moves implements AutoCloseable {

        private final InterceptedClApi intercepted;
        private final ClDevice device;
        private final HostRange host = new HostRange(4L * RUNS * PAGE);
        private final CopyEngine engine;
        private final DeviceMemory memory;

        Moves(CopyMode mode, ScatterMode scatter, UnaryOperator<ClApi> between) {
            intercepted = new InterceptedClApi(between.apply(Bindings.load(ClBinding.LWJGL)));
            ClApi api = intercepted.api();
            device = ClDevice.open(api, Bindings.firstDevice(api), ClOptions.DEFAULTS.copy(mode).scatter(scatter));
            engine = device.copyEngine(host.addressBytes(), host.lengthBytes());
            memory = device.allocate(2L * RUNS * PAGE);
        }

        private List<CopyRun> runs(int firstHostPage) {
            List<CopyRun> runs = new ArrayList<>();
            for (int i = 0; i < RUNS; i++) {
                runs.add(host.run(firstHostPage + 2 * i, memory, 2L * RUNS - 1 - 2 * i, 1)); // the last page first
            }
            return runs;
        }

        Completion toDevice() {
            return engine.toDevice(runs(0));
        }

        /// There and back, with new bytes.
        void roundTrip(long seed) {
            host.fillRandomly(new SplittableRandom(seed));
            toDevice().await();
            engine.toHost(runs(2 * RUNS)).await();
            requireRight();
        }

        private void requireRight() {
            for (int i = 0; i < RUNS; i++) {
                assertThat(host.pages(2L * (RUNS + i), 1).mismatch(host.pages(2L * i, 1))).as("first wrong byte of page %d", i).isEqualTo(-1);
            }
        }

        int kernels() {
            return intercepted.calls().getOrDefault("enqueueKernel", 0);
        }

        @Override
        public void close() {
            engine.close();
            memory.close();
            device.close();
            host.close();
            assertThat(intercepted.live()).as("live objects").isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(value = CopyMode.class, names = {"STAGED", "COPY"})
    void aKernelCarriesWhatLiesApart(CopyMode mode) {
        try (Moves moves = new Moves(mode, ScatterMode.KERNEL, UnaryOperator.identity())) {
            moves.roundTrip(1);
            moves.intercepted.fail("", 0);
            for (int round = 2; round < 6; round++) {
                moves.roundTrip(round);
            }
            assertThat(moves.kernels()).isEqualTo(4 * COMMANDS_BY_KERNEL);
        }
    }

    /// Nor on a device that is the processor, where nobody has asked for it.
    @ParameterizedTest
    @EnumSource(value = ScatterMode.class, names = {"COMMANDS", "AUTO"})
    void nothingIsCompiledThatIsNotWanted(ScatterMode mode) {
        try (Moves moves = new Moves(CopyMode.STAGED, mode, UnaryOperator.identity())) {
            assumeTrue(mode == ScatterMode.COMMANDS || moves.device.info().kind() == DeviceInfo.Kind.CPU, "a GPU");
            for (int round = 0; round < 5; round++) {
                moves.roundTrip(round);
            }
            assertThat(moves.intercepted.calls()).doesNotContainKeys("enqueueKernel", "createProgram", "createProgramOfBinary");
        }
    }

    private static ClApi asGpu(ClApi api) {
        return changed(api, (name, args, result) -> name.equals("deviceNumber") && args[1].equals(Cl.DEVICE_TYPE) ? (Object) Cl.DEVICE_TYPE_GPU : result);
    }

    /// What it then is depends on what was measured, and bytes are right in either case.
    @Test
    void itIsTriedOnceThereIsNeed() {
        try (Moves moves = new Moves(CopyMode.STAGED, ScatterMode.AUTO, ScatterTest::asGpu)) {
            moves.roundTrip(1);
            assertThat(moves.intercepted.calls()).doesNotContainKeys("enqueueKernel");
            moves.roundTrip(2);
            assertThat(moves.kernels()).isGreaterThanOrEqualTo(3);
            moves.roundTrip(3);
        }
    }

    /// Where a kernel is worth it, it is not while one of the program runs.
    @Test
    void nothingStandsBehindAKernelOfTheProgram() {
        AtomicBoolean programLaunches = new AtomicBoolean();
        Set<Object> running = ConcurrentHashMap.newKeySet(); // events of kernels that have not ended, as far as the driver says
        UnaryOperator<ClApi> slowCopies = api -> changed(asGpu(api), (name, args, result) -> {
            if (name.equals("enqueueWrite")) {
                Thread.sleep(1); // a command costs far more than a kernel now
            } else if (name.equals("enqueueKernel") && programLaunches.get()) {
                running.add(result);
            }
            return name.equals("eventStatus") && running.contains(args[0]) ? (Object) 1 : result;
        });
        try (Moves moves = new Moves(CopyMode.STAGED, ScatterMode.AUTO, slowCopies);
                DeviceProgram program = moves.device.build(Source.resource("in_place.cl"), "-cl-std=CL1.2")) {
            moves.roundTrip(1);
            moves.roundTrip(2);
            moves.intercepted.fail("", 0);
            moves.toDevice().await();
            assertThat(moves.kernels()).isEqualTo(COMMANDS_BY_KERNEL);
            DeviceKernel change = program.kernel("change_words");
            try (DeviceMemory words = moves.device.allocate(PAGE)) {
                moves.intercepted.fail("", 0);
                programLaunches.set(true);
                Completion last = launches(change, words);
                programLaunches.set(false);
                moves.toDevice();
                assertThat(moves.kernels()).as("those of the program").isEqualTo(20);
                running.clear();
                last.await();
            }
            moves.toDevice().await();
            assertThat(moves.kernels()).isEqualTo(20 + COMMANDS_BY_KERNEL);
        }
    }

    /// Ours names the bytes it uses: an emulated GPU ends the process that has two commands use the same ones.
    @ParameterizedTest
    @EnumSource(value = CopyMode.class, names = {"STAGED", "COPY"})
    void aKernelOfTheProgramMayUseWhatLiesBetween(CopyMode mode) {
        try (Moves moves = new Moves(mode, ScatterMode.KERNEL, UnaryOperator.identity());
                DeviceProgram program = moves.device.build(Source.resource("in_place.cl"), "-cl-std=CL1.2");
                DeviceMemory between = moves.memory.slice(0, PAGE)) {
            moves.roundTrip(1); // odd pages
            moves.engine.zero(moves.memory, 0, PAGE).await();
            for (int round = 2; round < 6; round++) {
                Completion running = launches(program.kernel("change_words"), between);
                moves.roundTrip(round);
                running.await();
            }
            moves.engine.toHost(List.of(moves.host.run(0, moves.memory, 0, 1))).await();
            assertThat(moves.host.bytes().getAtIndex(ValueLayout.JAVA_LONG, 0)).isZero();
            assertThat(moves.host.bytes().getAtIndex(ValueLayout.JAVA_LONG, 1)).as("sum of powers of 3, from 4 times 20 kernels").isEqualTo(sumOfPowers(3, 80));
        }
    }

    /// As if all of it went by one queue. An emulated GPU ends the process that does not order two commands with the same bytes.
    @ParameterizedTest
    @EnumSource(value = CopyMode.class, names = {"STAGED", "COPY"})
    void whatIsSubmittedLaterComesLater(CopyMode mode) {
        try (Moves moves = new Moves(mode, ScatterMode.KERNEL, UnaryOperator.identity())) {
            moves.roundTrip(1);
            for (int round = 2; round < 12; round++) {
                moves.host.fillRandomly(new SplittableRandom(round));
                List<Completion> all = new ArrayList<>();
                all.add(moves.toDevice());
                all.add(moves.engine.zero(moves.memory, PAGE, PAGE)); // the last of the runs
                all.add(moves.toDevice());
                all.add(moves.engine.toDevice(List.of(moves.host.run(4L * RUNS - 1, moves.memory, 1, 1)))); // one piece goes by a command
                all.forEach(Completion::await);
                moves.engine.toHost(List.of(moves.host.run(0, moves.memory, 1, 1))).await();
                assertThat(moves.host.pages(0, 1).mismatch(moves.host.pages(4L * RUNS - 1, 1))).as("written last").isEqualTo(-1);
            }
        }
    }

    private static long sumOfPowers(long base, int count) {
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum = sum * base + 1;
        }
        return sum;
    }

    private static Completion launches(DeviceKernel change, DeviceMemory words) {
        Completion last = null;
        for (int i = 0; i < 20; i++) {
            last = change.launch(List.of(new KernelArgument.Memory(words), new KernelArgument.Value(MemorySegment.ofArray(new long[] {3}))), NDRange.of(words.lengthBytes() / Long.BYTES));
        }
        return last;
    }

    @Test
    void aDeviceThatDoesNotCompileItCopiesByCommands() {
        UnaryOperator<ClApi> noCompiler = api -> changed(api, (name, args, result) -> {
            if (name.equals("createProgram") || name.equals("createProgramOfBinary")) {
                api.releaseProgram((long) result);
                throw ClStatus.failure(-3, name, "injected");
            }
            return result;
        });
        try (Moves moves = new Moves(CopyMode.COPY, ScatterMode.KERNEL, noCompiler)) {
            moves.roundTrip(1);
            moves.roundTrip(2);
            assertThat(moves.intercepted.calls()).doesNotContainKeys("enqueueKernel");
        }
    }

    /// One that starts in the wrong place, as a compiler may have it that lays the table out in another way.
    @Test
    void aKernelThatCarriesWrongIsNotUsed() {
        UnaryOperator<ClApi> wrong = api -> changedBefore(api, (name, args) -> {
            if (name.equals("setValue")) {
                MemorySegment at = (MemorySegment) args[2];
                byte[] bytes = at.toArray(ValueLayout.JAVA_BYTE);
                bytes[8] ^= 1;
                args[2] = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            }
        });
        try (Moves moves = new Moves(CopyMode.STAGED, ScatterMode.KERNEL, wrong)) {
            moves.roundTrip(1);
            moves.intercepted.fail("", 0);
            moves.roundTrip(2);
            assertThat(moves.kernels()).isZero();
        }
    }

    /// The device is full: what is packed has no place there.
    @Test
    void withoutMemoryThereItGoesByCommands() {
        try (Moves moves = new Moves(CopyMode.STAGED, ScatterMode.KERNEL, UnaryOperator.identity())) {
            moves.intercepted.fail("createBuffer", 4); // two slots of the test have been packed; slots are taken from the end
            moves.roundTrip(1);
            moves.roundTrip(2);
            List<Completion> all = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                all.add(moves.toDevice());
            }
            all.forEach(Completion::await);
            assertThat(moves.intercepted.calls()).as("it was refused").extractingByKey("createBuffer").satisfies(count -> assertThat(count).isGreaterThanOrEqualTo(4));
            moves.roundTrip(3);
        }
    }

    @Test
    void theSettingDecidesWhereTheProgramDoesNot() {
        System.setProperty("hmm.scatter", "commands");
        try {
            assertThat(ClOptions.DEFAULTS.scatterAsked()).isEqualTo(ScatterMode.COMMANDS);
            assertThat(ClOptions.DEFAULTS.scatter(ScatterMode.KERNEL).scatterAsked()).isEqualTo(ScatterMode.KERNEL);
            System.setProperty("hmm.scatter", "often");
            assertThatIllegalArgumentException().isThrownBy(ClOptions.DEFAULTS::scatterAsked).withMessageContaining("scatter=often").withMessageContaining("kernel");
        } finally {
            System.clearProperty("hmm.scatter");
        }
        assertThat(ClOptions.DEFAULTS.scatterAsked()).isEqualTo(ScatterMode.AUTO);
    }

    @FunctionalInterface
    private interface After {
        Object of(String name, Object[] args, Object result) throws Exception;
    }

    @FunctionalInterface
    private interface Before {
        void of(String name, Object[] args);
    }

    private static ClApi changed(ClApi api, After after) {
        return proxy(api, (_, _) -> {}, after);
    }

    private static ClApi changedBefore(ClApi api, Before before) {
        return proxy(api, before, (_, _, result) -> result);
    }

    private static ClApi proxy(ClApi api, Before before, After after) {
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, args) -> {
            before.of(method.getName(), args);
            try {
                return after.of(method.getName(), args, method.invoke(api, args));
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }
}
