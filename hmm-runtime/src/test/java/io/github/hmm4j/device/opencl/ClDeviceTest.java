package io.github.hmm4j.device.opencl;

import static io.github.hmm4j.device.HostRange.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.HostRange;
import io.github.hmm4j.device.opencl.jocl.JoclClApi;
import io.github.hmm4j.error.NoDeviceException;
import java.lang.reflect.Proxy;
import java.util.List;
import org.jocl.CL;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Ways to open a device, and the choice of its engine.
final class ClDeviceTest {

    /// Which argument of `enqueueCopy` is the length.
    private static final int LENGTH = 5;

    @ParameterizedTest
    @EnumSource(ClBinding.class)
    void leavesTheContextOfTheApplicationAlive(ClBinding binding) {
        ClApi raw = Bindings.load(binding);
        ClDeviceId id = Bindings.firstDevice(raw);
        long context = raw.createContext(id.platform(), id.device());
        var intercepted = new InterceptedClApi(raw);
        try (ClDevice device = ClDevice.over(intercepted.api(), context, id.device(), ClOptions.DEFAULTS)) {
            assertCopies(device);
        }
        assertThat(intercepted.live()).isZero();
        raw.releaseMemory(raw.createBuffer(context, Cl.MEM_READ_WRITE, PAGE, 0));
        raw.releaseContext(context);
    }

    /// Whoever closes again goes on: what is mapped is unmapped before its buffer is released, and nothing is released twice.
    @ParameterizedTest
    @EnumSource(value = CopyMode.class, names = {"STAGED", "COPY"})
    void stagingIsClosedInTwoTurnsWhereTheJavaHeapIsFull(CopyMode mode) {
        ClApi raw = Bindings.load(ClBinding.LWJGL);
        var intercepted = new InterceptedClApi(raw);
        try (ClDevice device = ClDevice.open(intercepted.api(), Bindings.firstDevice(raw), ClOptions.DEFAULTS.copy(mode));
                var host = new HostRange(PAGE)) {
            DeviceMemory memory = device.allocate(PAGE);
            long before = intercepted.live();
            CopyEngine engine = device.copyEngine(host.addressBytes(), host.lengthBytes());
            engine.toDevice(List.of(host.run(0, memory, 0, 1))).await();
            engine.toHost(List.of(host.run(0, memory, 0, 1))).await(); // now both lanes have slots
            long open = intercepted.live();
            intercepted.failForWantOfHeap("enqueueUnmap", 1);
            assertThatThrownBy(engine::close).isInstanceOf(OutOfMemoryError.class).hasMessage("injected: enqueueUnmap");
            assertThat(intercepted.live()).as("a mapped buffer, at least, stays").isBetween(before + 1, open);
            engine.close();
            assertThat(intercepted.live()).isEqualTo(before);
        }
        assertThat(intercepted.live()).isZero();
    }

    @Test
    void takesAContextThatTheApplicationMadeWithJocl() {
        var platforms = new cl_platform_id[1];
        assertThat(CL.clGetPlatformIDs(1, platforms, null)).isEqualTo(CL.CL_SUCCESS);
        var devices = new cl_device_id[1];
        long all = 0xFFFFFFFFL; // JOCL's constant is -1, which not every driver takes for that
        assertThat(CL.clGetDeviceIDs(platforms[0], all, 1, devices, null)).as("status of clGetDeviceIDs").isEqualTo(CL.CL_SUCCESS);
        var properties = new cl_context_properties();
        properties.addProperty(CL.CL_CONTEXT_PLATFORM, platforms[0]);
        cl_context context = CL.clCreateContext(properties, 1, devices, null, null, null);
        JoclClApi api = JoclClApi.load();
        long contextHandle = api.adopt(context);
        long deviceHandle = api.adopt(devices[0]);
        for (int again = 0; again < 2; again++) {
            try (ClDevice device = ClDevice.over(api, contextHandle, deviceHandle, ClOptions.DEFAULTS)) {
                assertCopies(device);
            }
        }
        assertThat(CL.clReleaseContext(context)).isEqualTo(CL.CL_SUCCESS);
    }

    @Test
    void choosesAnEngineByItself() {
        ClApi api = Bindings.load(ClBinding.LWJGL);
        try (ClDevice device = ClDevice.open(api, Bindings.firstDevice(api), ClOptions.DEFAULTS)) {
            CopyChoice choice = device.copyChoice();
            assertThat(choice.name()).isIn("direct", "staged", "copy");
            assertThat(choice.why()).contains("staged ", "copy ").containsAnyOf("faster, MB/s", "none is clearly faster, MB/s");
            assertThat(choice.tested()).extracting(CopyRates::engine).contains("staged", "copy");
            assertThat(device.copyChoice()).isSameAs(choice);
            assertCopies(device);
        }
    }

    @Test
    void anEngineThatCopiesWrongIsNotUsed() {
        ClApi right = Bindings.load(ClBinding.LWJGL);
        Bindings.assumeWorksInHostMemory(right);
        // Drops the last byte of every copy between buffers, which the staged engine does not make.
        ClApi wrong = (ClApi) Proxy.newProxyInstance(
                ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, args) -> {
                    if (method.getName().equals("enqueueCopy")) {
                        args[LENGTH] = (long) args[LENGTH] - 1;
                    }
                    return method.invoke(right, args);
                });
        try (ClDevice device = ClDevice.open(wrong, Bindings.firstDevice(wrong), ClOptions.DEFAULTS)) {
            assertThat(device.copyChoice().name()).isEqualTo("staged");
            assertThat(device.copyChoice().why()).startsWith("the only one that copies right")
                    .contains("copy is not used: wrong byte after a round trip");
            assertCopies(device);
        }
        ClOptions copy = ClOptions.DEFAULTS.copy(CopyMode.COPY);
        try (ClDevice device = ClDevice.open(wrong, Bindings.firstDevice(wrong), copy)) {
            assertThatExceptionOfType(NoDeviceException.class).isThrownBy(device::copyChoice)
                    .withMessageContaining("wrong byte");
        }
    }

    @Test
    void copyIsTakenUnlessAnotherIsClearlyFaster() {
        var copy = new CopyRates("copy", 1000, 1000, 100, 100);
        assertThat(CopySelfTest.best(List.of(new CopyRates("staged", 1040, 1040, 104, 104), copy))).isSameAs(copy);
        var staged = new CopyRates("staged", 1060, 1060, 106, 106);
        assertThat(CopySelfTest.best(List.of(copy, staged))).isSameAs(staged);
        // slower with large ones, by as much as it is faster with small ones
        assertThat(CopySelfTest.best(List.of(new CopyRates("staged", 500, 500, 200, 200), copy))).isSameAs(copy);
        var lowLatency = new CopyRates("staged", 900, 900, 200, 200);
        assertThat(CopySelfTest.best(List.of(lowLatency, staged, copy))).isSameAs(lowLatency);
    }

    @Test
    void directIsTakenUnlessAnotherIsFarFaster() {
        var copy = new CopyRates("copy", 1000, 1000, 100, 100);
        var direct = new CopyRates("direct", 600, 600, 60, 60);
        assertThat(CopySelfTest.best(List.of(direct, copy))).isSameAs(direct);
        assertThat(CopySelfTest.best(List.of(new CopyRates("direct", 400, 400, 40, 40), copy))).isSameAs(copy);
    }

    @Test
    void theSettingDecidesWhereTheProgramDoesNot() {
        System.setProperty("hmm.copy", "staged");
        try {
            assertThat(ClOptions.DEFAULTS.copyAsked()).isEqualTo(CopyMode.STAGED);
            assertThat(ClOptions.DEFAULTS.copy(CopyMode.COPY).copyAsked()).isEqualTo(CopyMode.COPY);
            System.setProperty("hmm.copy", "fast");
            assertThatIllegalArgumentException().isThrownBy(ClOptions.DEFAULTS::copyAsked).withMessageContaining("copy=fast");
        } finally {
            System.clearProperty("hmm.copy");
        }
        assertThat(ClOptions.DEFAULTS.copyAsked()).isEqualTo(CopyMode.AUTO);
    }

    @Test
    void aDeviceWithMemoryOfItsOwnHasNoDirectCopies() {
        ClApi api = Bindings.load(ClBinding.LWJGL);
        ClDeviceId id = Bindings.firstDevice(api);
        DeviceInfo info = id.info();
        var apart = new ClDeviceId(id.platform(), id.device(), id.platformName(), id.hardware(), new DeviceInfo(
                info.name(), info.vendor(), info.driver(), info.binding(), DeviceInfo.Kind.GPU, info.memoryBytes(),
                info.maxAllocationBytes(), info.baseAlignmentBytes(), info.maxWorkGroupSize(), info.computeUnits(), info.localMemoryBytes(),
                false, info.svm()));
        try (ClDevice device = ClDevice.open(api, apart, ClOptions.DEFAULTS)) {
            assertThat(device.copyChoice().name()).isIn("staged", "copy");
            assertThat(device.copyChoice().tested()).extracting(CopyRates::engine).containsExactly("staged", "copy");
        }
        try (ClDevice device = ClDevice.open(api, apart, ClOptions.DEFAULTS.copy(CopyMode.DIRECT))) {
            assertThatIllegalArgumentException().isThrownBy(device::copyChoice).withMessageContaining("copy=direct");
        }
    }

    @Test
    void aDeviceOpensOnceAtATime() {
        ClApi api = Bindings.load(ClBinding.LWJGL);
        ClDeviceId id = Bindings.firstDevice(api);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ClDevice.openAll(api, List.of(id, id), ClOptions.DEFAULTS));
    }

    @Test
    void namesOfBindingsAndModesGoBothWays() {
        assertThat(ClBinding.of("jocl")).isEqualTo(ClBinding.JOCL);
        assertThat(ClBinding.LWJGL).hasToString("lwjgl");
        assertThat(CopyMode.of("staged")).isEqualTo(CopyMode.STAGED);
        assertThatIllegalArgumentException().isThrownBy(() -> ClBinding.of("cuda"))
                .withMessageContaining("binding=cuda").withMessageContaining("lwjgl");
        assertThatIllegalArgumentException().isThrownBy(() -> CopyMode.of("fast")).withMessageContaining("copy=fast");
    }

    static void assertCopies(ClDevice device) {
        try (var host = new HostRange(2 * PAGE);
                DeviceMemory memory = device.allocate(PAGE);
                CopyEngine engine = device.copyEngine(host.addressBytes(), host.lengthBytes())) {
            host.pages(0, 1).fill((byte) 42);
            engine.toDevice(List.of(host.run(0, memory, 0, 1))).await();
            engine.toHost(List.of(host.run(1, memory, 0, 1))).await();
            assertThat(host.pages(1, 1).mismatch(host.pages(0, 1))).isEqualTo(-1);
        }
    }
}
