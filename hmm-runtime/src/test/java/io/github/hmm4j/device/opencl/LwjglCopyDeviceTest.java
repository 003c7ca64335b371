package io.github.hmm4j.device.opencl;

final class LwjglCopyDeviceTest extends ClDeviceContract {

    LwjglCopyDeviceTest() {
        super(ClBinding.LWJGL, CopyMode.COPY);
    }
}
