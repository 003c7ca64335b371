package io.github.hmm4j.device.opencl;

final class LwjglStagedByKernelDeviceTest extends ClDeviceContract {

    LwjglStagedByKernelDeviceTest() {
        super(ClBinding.LWJGL, CopyMode.STAGED, ScatterMode.KERNEL);
    }
}
