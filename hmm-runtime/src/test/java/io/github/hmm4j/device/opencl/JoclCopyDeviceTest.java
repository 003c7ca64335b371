package io.github.hmm4j.device.opencl;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
final class JoclCopyDeviceTest extends ClDeviceContract {

    JoclCopyDeviceTest() {
        super(ClBinding.JOCL, CopyMode.COPY);
    }
}
