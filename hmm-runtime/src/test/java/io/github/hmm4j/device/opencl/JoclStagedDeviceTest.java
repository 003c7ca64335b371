package io.github.hmm4j.device.opencl;

final class JoclStagedDeviceTest extends ClDeviceContract {

    JoclStagedDeviceTest() {
        super(ClBinding.JOCL, CopyMode.STAGED);
    }
}
