package io.github.hmm4j.device.opencl;

final class JoclCopyDeviceTest extends ClDeviceContract {

    JoclCopyDeviceTest() {
        super(ClBinding.JOCL, CopyMode.COPY);
    }
}
