package io.github.hmm4j.device.opencl;

final class LwjglStagedDeviceTest extends ClDeviceContract {

    LwjglStagedDeviceTest() {
        super(ClBinding.LWJGL, CopyMode.STAGED);
    }
}
