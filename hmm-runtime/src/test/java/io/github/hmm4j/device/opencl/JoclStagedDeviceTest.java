package io.github.hmm4j.device.opencl;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
final class JoclStagedDeviceTest extends ClDeviceContract {

    JoclStagedDeviceTest() {
        super(ClBinding.JOCL, CopyMode.STAGED);
    }
}
