package io.github.hmm4j.emulated;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.Overlap;
import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.error.PagePoisonedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Each rein once, under a program that calls OpenCL itself; and what a heap makes of it.
@Tag("emulated-gpu")
final class EmulatedGpuReinsTest {

    private static final int INTS = 1 << 12;
    private static final Source ADD = Source.text("add.cl", "kernel void add(global int *data) { data[get_global_id(0)] += 1; }\n");

    private final EmulatedGpu gpu = EmulatedGpu.number(0);

    @BeforeEach
    void begin() {
        EmulatedGpu.reset();
    }

    /// Nothing is left, of whatever the test did to the device.
    @AfterEach
    void end() {
        EmulatedGpu.reset();
        assertThat(EmulatedGpu.openObjects()).isZero();
        assertThat(gpu.usedBytes()).isZero();
    }

    // ---- under a program

    @Test
    void whatIsHeldWaitsAndOthersGoOn() {
        try (OwnCalls own = new OwnCalls(0)) {
            long copies = gpu.submitted(Engine.TO_DEVICE);
            long fills = gpu.submitted(Engine.COMPUTE);
            gpu.hold(Engine.TO_DEVICE);
            long copy = own.copy();
            own.api.waitFor(own.fill());
            assertThat(own.api.eventStatus(copy)).isPositive();
            assertThat(gpu.submitted(Engine.TO_DEVICE)).isEqualTo(copies + 1);
            assertThat(gpu.completed(Engine.TO_DEVICE)).isEqualTo(copies);
            assertThat(gpu.submitted(Engine.COMPUTE)).isEqualTo(fills + 1);
            assertThat(gpu.completed(Engine.COMPUTE)).isEqualTo(fills + 1);
            gpu.resume(Engine.TO_DEVICE);
            own.api.waitFor(copy);
            assertThat(own.api.eventStatus(copy)).isZero();
        }
    }

    /// The other device has engines of its own.
    @Test
    void onlyTheDeviceThatIsMeantIsHeld() {
        long commands = gpu.submitted(Engine.COMPUTE);
        gpu.hold();
        try (OwnCalls own = new OwnCalls(1)) {
            own.api.waitFor(own.fill());
            own.api.waitFor(own.copy());
        }
        assertThat(gpu.submitted(Engine.COMPUTE)).isEqualTo(commands);
    }

    @Test
    void aStepIsOneCommand() {
        try (OwnCalls own = new OwnCalls(0)) {
            gpu.hold(Engine.COMPUTE);
            long first = own.fill();
            long second = own.fill();
            gpu.step(Engine.COMPUTE);
            assertThat(own.api.eventStatus(first)).isZero();
            assertThat(own.api.eventStatus(second)).isPositive();
            gpu.step(Engine.COMPUTE);
            assertThat(own.api.eventStatus(second)).isZero();
            var step = CompletableFuture.runAsync(() -> gpu.step(Engine.COMPUTE));
            long third = own.fill(); // it waits for this one
            step.join();
            assertThat(own.api.eventStatus(third)).isZero();
            gpu.resume();
            assertThatIllegalStateException().isThrownBy(() -> gpu.step(Engine.COMPUTE));
        }
    }

    @Test
    void aThreadHearsOfCommandsThatOthersEnqueue() {
        try (OwnCalls own = new OwnCalls(0)) {
            long already = gpu.submitted(Engine.COMPUTE);
            var heard = CompletableFuture.runAsync(() -> gpu.awaitSubmitted(Engine.COMPUTE, already + 2));
            own.api.waitFor(own.fill());
            assertThat(heard).isNotDone();
            own.api.waitFor(own.fill());
            heard.join();
            gpu.awaitSubmitted(Engine.COMPUTE, already + 2);
        }
    }

    @Test
    void callsFailWhereTheyAreMeantTo() {
        try (OwnCalls own = new OwnCalls(0)) {
            long fills = gpu.calls(Call.FILL);
            long all = gpu.calls();
            gpu.fail(Call.FILL, 2);
            own.api.waitFor(own.fill());
            long commands = gpu.submitted(Engine.COMPUTE);
            assertFails(own::fill, -59);
            assertThat(gpu.submitted(Engine.COMPUTE)).isEqualTo(commands);
            own.api.waitFor(own.fill());
            gpu.fail(Call.FILL, 1);
            gpu.fail(Call.FILL, 2);
            assertFails(own::fill, -59);
            own.api.waitFor(own.copy());
            assertFails(own::fill, -59);
            own.api.waitFor(own.fill());
            gpu.failAll(Call.FILL);
            for (int i = 0; i < 3; i++) {
                assertFails(own::fill, -59);
            }
            gpu.clear();
            own.api.waitFor(own.fill());
            assertThat(gpu.calls(Call.FILL)).isEqualTo(fills + 10);
            assertThat(gpu.calls()).isEqualTo(all + 11);
        }
    }

    @Test
    void creationsFailToo() {
        try (OwnCalls own = new OwnCalls(0)) {
            gpu.fail(Call.CREATE_BUFFER, 1);
            assertFails(own::makeBuffer, -4);
            gpu.fail(Call.CREATE_SUB_BUFFER, 1);
            assertFails(own::makeSubBuffer, -4);
            gpu.fail(Call.BUILD_PROGRAM, 1);
            assertFails(own::makeKernel, -5);
            gpu.fail(Call.CREATE_KERNEL, 1);
            assertFails(own::makeKernel, -5);
            own.makeBuffer();
            own.makeSubBuffer();
            own.makeKernel();
        }
    }

    @Test
    void aCommandEndsBadlyWithoutRunning() {
        try (OwnCalls own = new OwnCalls(0)) {
            gpu.failEnd(Call.FILL, 2);
            long first = own.fill();
            long second = own.fill();
            own.api.waitFor(second);
            assertThat(own.api.eventStatus(first)).isZero();
            assertThat(own.api.eventStatus(second)).isEqualTo(-14);
            assertThatIllegalArgumentException().isThrownBy(() -> gpu.failEnd(Call.CREATE_BUFFER, 1));
            assertThatIllegalArgumentException().isThrownBy(() -> gpu.fail(Call.FILL, 0));
        }
    }

    @Test
    void aLostDeviceEndsWhatIsHeldAndIsFoundAgain() {
        try (OwnCalls own = new OwnCalls(0)) {
            gpu.hold();
            long held = own.fill();
            gpu.lose();
            own.api.waitFor(held);
            assertThat(own.api.eventStatus(held)).isNegative();
            assertThatExceptionOfType(DeviceLostException.class).isThrownBy(own::fill);
            assertFails(own::makeBuffer, -5);
            assertThatIllegalStateException().isThrownBy(EmulatedGpu::reset).withMessageContaining("1 contexts");
        }
        EmulatedGpu.reset();
        try (OwnCalls own = new OwnCalls(0)) {
            own.api.waitFor(own.fill());
        }
    }

    @Test
    void aDeviceIsLostAtACall() {
        try (OwnCalls own = new OwnCalls(0); OwnCalls other = new OwnCalls(1)) {
            gpu.loseAt(2);
            own.api.waitFor(own.fill());
            other.api.waitFor(other.fill());
            assertThatExceptionOfType(DeviceLostException.class).isThrownBy(own::copy);
            other.api.waitFor(other.copy());
        }
    }

    @Test
    void aThreadIsStoppedInACall() {
        try (OwnCalls own = new OwnCalls(0)) {
            long commands = gpu.submitted(Engine.COMPUTE);
            CompletableFuture<Long> call;
            try (EmulatedGpu.Stop stop = gpu.stopAt(Call.FILL, 1)) {
                call = CompletableFuture.supplyAsync(own::fill);
                stop.await();
                assertThat(gpu.submitted(Engine.COMPUTE)).isEqualTo(commands);
                own.api.waitFor(own.fill()); // of another thread
                assertThat(gpu.submitted(Engine.COMPUTE)).isEqualTo(commands + 1);
                assertThat(call).isNotDone();
            }
            own.api.waitFor(call.join());
            gpu.stopAt(Call.FILL, 1).close(); // before anybody came
            own.api.waitFor(own.fill());
        }
    }

    @Test
    void limitsAreWhatTheDeviceSays() {
        long usual = memoryBytes();
        EmulatedGpu.limit(ByteSize.mib(8), ByteSize.mib(2));
        assertThat(memoryBytes()).isEqualTo(ByteSize.mib(8));
        try (OwnCalls own = new OwnCalls(0)) {
            long used = gpu.usedBytes();
            own.api.waitFor(own.fill());
            assertThat(gpu.usedBytes()).isEqualTo(used + OwnCalls.BYTES);
            assertFails(() -> own.api.createBuffer(own.context, 1, ByteSize.mib(3), 0), -61);
        }
        EmulatedGpu.reset();
        assertThat(memoryBytes()).isEqualTo(usual);
        assertThatIllegalArgumentException().isThrownBy(() -> EmulatedGpu.limit(1 << 20, 1 << 21));
    }

    private static long memoryBytes() {
        return OpenClDevices.list(ClBinding.LWJGL).getFirst().info().memoryBytes();
    }

    private static void assertFails(Runnable call, int status) {
        assertThatExceptionOfType(HmmException.class).isThrownBy(call::run).withMessageContaining("(" + status + ")");
    }

    // ---- under a heap

    private record Adder(Hmm hmm, MemorySegment data, Kernel add) implements AutoCloseable {

        static Adder open() {
            Hmm hmm = Hmm.builder().binding(ClBinding.LWJGL).device("0").heap(ByteSize.mib(16)).open();
            return new Adder(hmm, hmm.heap().allocate(JAVA_INT, INTS), hmm.program(ADD).kernel("add"));
        }

        Launch launch() {
            return add.args(data).launch(NDRange.of(INTS));
        }

        void assertHolds(int expected) {
            assertHolds(data, expected);
        }

        void assertHolds(MemorySegment segment, int expected) {
            try (HostView view = hmm.heap().view(segment, Access.READ)) {
                assertThat(view.segment().toArray(JAVA_INT)).containsOnly(expected);
            }
        }

        @Override
        public void close() {
            hmm.close();
        }
    }

    @Test
    void aHeapWaitsForAHeldKernel() {
        try (Adder adder = Adder.open()) {
            adder.launch().await();
            gpu.hold(Engine.COMPUTE);
            Launch launch = adder.launch();
            assertThat(launch.isDone()).isFalse();
            gpu.step(Engine.COMPUTE);
            launch.await();
            gpu.resume();
            adder.assertHolds(2);
        }
    }

    @Test
    void aHeapTellsOfALaunchThatIsRefusedAndOfOneThatEndsBadly() {
        try (Adder adder = Adder.open()) {
            adder.launch().await();
            gpu.fail(Call.LAUNCH, 1);
            assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(adder::launch);
            adder.launch().await();
            adder.assertHolds(2);
            adder.launch().await();
            gpu.failEnd(Call.LAUNCH, 1);
            Launch bad = adder.launch();
            assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(bad::await);
            assertThatExceptionOfType(PagePoisonedException.class).isThrownBy(() -> adder.assertHolds(3));
        }
    }

    /// Closing fails in part, and yet leaves nothing.
    @Test
    void aHeapTellsOfADeviceThatIsLost() {
        assertThatIllegalStateException().isThrownBy(() -> {
            try (Adder adder = Adder.open()) {
                MemorySegment other = adder.hmm.heap().allocate(JAVA_INT, INTS);
                adder.launch().await();
                gpu.hold(Engine.COMPUTE);
                Launch inFlight = adder.launch();
                gpu.lose();
                assertThatExceptionOfType(HmmException.class).isThrownBy(inFlight::await);
                assertThatExceptionOfType(DeviceLostException.class).isThrownBy(() -> adder.add.args(other).launch(NDRange.of(INTS)));
            }
        }).withMessageContaining("closing the heap failed in part");
    }

    @Test
    void aLaunchIsStoppedAndAnotherGoesOn() {
        try (Adder adder = Adder.open()) {
            MemorySegment other = adder.hmm.heap().allocate(JAVA_INT, INTS);
            adder.launch().await();
            adder.add.args(other).launch(NDRange.of(INTS)).await();
            CompletableFuture<Launch> stopped;
            try (EmulatedGpu.Stop stop = gpu.stopAt(Call.LAUNCH, 1)) {
                stopped = CompletableFuture.supplyAsync(adder::launch);
                stop.await();
                adder.assertHolds(other, 1); // its page is not the launch's
                assertThat(stopped).isNotDone();
            }
            stopped.join().await();
            adder.assertHolds(2);
        }
    }

    @Test
    void itIsSeenThatReadsPassKernels() {
        try (Hmm hmm = Hmm.builder().open()) {
            Overlap overlap = ((ClDevice) hmm.device().device()).overlap();
            assertThat(overlap.proven()).as(overlap.why()).isTrue();
        }
    }
}
