package io.github.hmm4j.device.opencl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.jfr.Recording;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Queues keep times for those who want them, and are flushed once for a launch.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class LaunchTimesTest {

    private static final Source SOURCE = Source.text("add.cl", "kernel void add(global int *data) { data[get_global_id(0)] += 1; }\n");
    private static final int INTS = 1 << 10;
    private static final int LAUNCHES = 50;

    private static Hmm heap(InterceptedClApi api, ClOptions options, HostAccess.Mode mode) {
        return Hmm.builder().device(ClDevice.open(api.api(), Bindings.firstDevice(api.api()), options)).heap(ByteSize.mib(16)).hostAccess(mode).open();
    }

    @ParameterizedTest
    @EnumSource
    void keepsNoTimesUntilARecordingWantsThem(ClBinding binding) {
        var api = new InterceptedClApi(Bindings.load(binding));
        try (Hmm hmm = heap(api, ClOptions.DEFAULTS, HostAccess.Mode.CHECKED)) {
            MemorySegment data = hmm.heap().allocate(JAVA_INT, INTS);
            Kernel.Call add = hmm.program(SOURCE).kernel("add").args(data);
            assertThat(add.launch(NDRange.of(INTS)).await().deviceNanos()).as("nobody has asked").isEqualTo(-1);
            Launch under = add.launch(NDRange.of(INTS)); // may be under way when the queue is replaced
            long objects = api.live();
            int queues = api.calls().get("createQueue");
            try (Recording recording = new Recording()) {
                recording.enable("hmm4j.Command");
                recording.start();
                for (int i = 0; i < LAUNCHES; i++) {
                    assertThat(add.launch(NDRange.of(INTS)).await().deviceNanos()).as("a recording wants them").isNotNegative();
                }
            }
            under.await();
            assertThat(api.calls()).containsEntry("createQueue", queues + 1);
            assertThat(api.live()).as("the other queue is gone").isLessThanOrEqualTo(objects);
            try (HostView view = hmm.heap().view(data, Access.READ)) {
                assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(LAUNCHES + 2);
            }
        }
        assertThat(api.live()).isZero();
    }

    /// A queue that cannot be made leaves the launch what it was.
    @Test
    void aDriverWithoutTimesLaunchesAllTheSame() {
        var api = new InterceptedClApi(Bindings.load(ClBinding.LWJGL));
        try (Hmm hmm = heap(api, ClOptions.DEFAULTS, HostAccess.Mode.CHECKED); Recording recording = new Recording()) {
            MemorySegment data = hmm.heap().allocate(JAVA_INT, INTS);
            Kernel.Call add = hmm.program(SOURCE).kernel("add").args(data);
            add.launch(NDRange.of(INTS)).await();
            recording.enable("hmm4j.Command");
            recording.start();
            api.fail("createQueue", 1);
            for (int i = 0; i < 3; i++) {
                assertThat(add.launch(NDRange.of(INTS)).await().deviceNanos()).isEqualTo(-1);
            }
            assertThat(api.calls()).as("asked once").containsEntry("createQueue", 1);
        }
        assertThat(api.live()).isZero();
    }

    @Test
    void keepsThemFromTheStartWhereTheProgramAsks() {
        var api = new InterceptedClApi(Bindings.load(ClBinding.LWJGL));
        try (Hmm hmm = heap(api, ClOptions.DEFAULTS.profiling(true), HostAccess.Mode.CHECKED)) {
            MemorySegment data = hmm.heap().allocate(JAVA_INT, INTS);
            assertThat(hmm.program(SOURCE).kernel("add").args(data).launch(NDRange.of(INTS)).await().deviceNanos()).isNotNegative();
        }
    }

    /// The native gate has flushed when it returns.
    @Test
    void aLaunchOnWhatIsThereFlushesOnce() {
        var flushes = new AtomicInteger();
        ClApi real = Bindings.load(ClBinding.LWJGL);
        ClApi api = (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, arguments) -> {
            flushes.addAndGet(method.getName().equals("flush") ? 1 : 0);
            return method.invoke(real, arguments);
        });
        ClDevice device = ClDevice.open(api, Bindings.firstDevice(api), ClOptions.DEFAULTS);
        try (Hmm hmm = Hmm.builder().device(device).heap(ByteSize.mib(16)).hostAccess(HostAccess.Mode.SIGSEGV).open()) {
            MemorySegment data = hmm.heap().allocate(JAVA_INT, INTS);
            Kernel.Call add = hmm.program(SOURCE).kernel("add").args(data);
            add.launch(NDRange.of(INTS)).await();
            int before = flushes.get();
            for (int i = 0; i < LAUNCHES; i++) {
                add.launch(NDRange.of(INTS)).await();
            }
            assertThat(flushes).as("besides that of the gate").hasValue(before);
            assertThat(data.get(JAVA_INT, 0)).isEqualTo(LAUNCHES + 1);
        }
    }
}
