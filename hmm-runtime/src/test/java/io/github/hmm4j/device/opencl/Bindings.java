package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.opencl.jocl.JoclClApi;
import io.github.hmm4j.device.opencl.lwjgl.LwjglClApi;
import java.util.List;

/// The bindings under test.
final class Bindings {

    private Bindings() {}

    static ClApi load(ClBinding binding) {
        return switch (binding) {
            case LWJGL -> LwjglClApi.load();
            case JOCL -> JoclClApi.load();
        };
    }

    static ClDeviceId firstDevice(ClApi api) {
        List<ClDeviceId> devices = ClPlatforms.devices(api);
        assertThat(devices).as("OpenCL devices; the tests need one, such as POCL").isNotEmpty();
        return devices.getFirst();
    }

    /// Skips what is about copies within host memory where the device has memory of its own, or a driver that keeps it apart.
    static void assumeWorksInHostMemory(ClApi api) {
        assumeTrue(firstDevice(api).info().kind() == DeviceInfo.Kind.CPU, "direct copies are for devices that work in host memory");
    }
}
