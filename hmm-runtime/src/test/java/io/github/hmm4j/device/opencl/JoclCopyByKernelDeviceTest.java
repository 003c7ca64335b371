package io.github.hmm4j.device.opencl;

import org.junit.jupiter.api.Tag;

@Tag("exhaustive")
final class JoclCopyByKernelDeviceTest extends ClDeviceContract {

    JoclCopyByKernelDeviceTest() {
        super(ClBinding.JOCL, CopyMode.COPY, ScatterMode.KERNEL);
    }
}
