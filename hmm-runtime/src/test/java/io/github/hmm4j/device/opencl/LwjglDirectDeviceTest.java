package io.github.hmm4j.device.opencl;

final class LwjglDirectDeviceTest extends ClDeviceContract {

    LwjglDirectDeviceTest() {
        super(ClBinding.LWJGL, CopyMode.DIRECT);
    }
}
