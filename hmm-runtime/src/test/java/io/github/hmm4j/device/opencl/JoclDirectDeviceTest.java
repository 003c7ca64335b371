package io.github.hmm4j.device.opencl;

final class JoclDirectDeviceTest extends ClDeviceContract {

    JoclDirectDeviceTest() {
        super(ClBinding.JOCL, CopyMode.DIRECT);
    }
}
