package io.github.hmm4j.device.opencl;

import static io.github.hmm4j.device.HostRange.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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

    @Test
    void takesAContextThatTheApplicationMadeWithJocl() {
        var platforms = new cl_platform_id[1];
        CL.clGetPlatformIDs(1, platforms, null);
        var devices = new cl_device_id[1];
        CL.clGetDeviceIDs(platforms[0], CL.CL_DEVICE_TYPE_ALL, 1, devices, null);
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
            assertThat(choice.name()).isIn("direct", "staged");
            assertThat(choice.why()).containsAnyOf("faster: direct", "the device has memory of its own");
            assertThat(device.copyChoice()).isSameAs(choice);
            assertCopies(device);
        }
    }

    @Test
    void anEngineThatCopiesWrongIsNotUsed() {
        ClApi right = Bindings.load(ClBinding.LWJGL);
        assumeTrue(Bindings.firstDevice(right).info().kind() == DeviceInfo.Kind.CPU, "direct copies are for devices that work in host memory");
        // Drops the last byte of every copy between buffers, which only the direct engine makes.
        ClApi wrong = (ClApi) Proxy.newProxyInstance(
                ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, args) -> {
                    if (method.getName().equals("enqueueCopy")) {
                        args[LENGTH] = (long) args[LENGTH] - 1;
                    }
                    return method.invoke(right, args);
                });
        try (ClDevice device = ClDevice.open(wrong, Bindings.firstDevice(wrong), ClOptions.DEFAULTS)) {
            assertThat(device.copyChoice().name()).isEqualTo("staged");
            assertThat(device.copyChoice().why()).contains("direct is not used: wrong byte after a round trip");
            assertCopies(device);
        }
        ClOptions direct = ClOptions.DEFAULTS.copy(CopyMode.DIRECT);
        try (ClDevice device = ClDevice.open(wrong, Bindings.firstDevice(wrong), direct)) {
            assertThatExceptionOfType(NoDeviceException.class).isThrownBy(device::copyChoice)
                    .withMessageContaining("wrong byte");
        }
    }

    @Test
    void aDeviceWithMemoryOfItsOwnIsStaged() {
        ClApi api = Bindings.load(ClBinding.LWJGL);
        ClDeviceId id = Bindings.firstDevice(api);
        DeviceInfo info = id.info();
        var apart = new ClDeviceId(id.platform(), id.device(), id.platformName(), new DeviceInfo(
                info.name(), info.vendor(), info.driver(), info.binding(), DeviceInfo.Kind.GPU, info.memoryBytes(),
                info.maxAllocationBytes(), info.baseAlignmentBytes(), info.maxWorkGroupSize(), info.computeUnits(),
                false, false, info.svm()));
        try (ClDevice device = ClDevice.open(api, apart, ClOptions.DEFAULTS)) {
            assertThat(device.copyChoice().name()).isEqualTo("staged");
            assertThat(device.copyChoice().why()).isEqualTo("the device has memory of its own");
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
