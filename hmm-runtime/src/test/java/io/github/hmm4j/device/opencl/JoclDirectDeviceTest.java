package io.github.hmm4j.device.opencl;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
final class JoclDirectDeviceTest extends ClDeviceContract {

    JoclDirectDeviceTest() {
        super(ClBinding.JOCL, CopyMode.DIRECT);
    }
}
