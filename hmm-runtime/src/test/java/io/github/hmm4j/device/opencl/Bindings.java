package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;

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
}
