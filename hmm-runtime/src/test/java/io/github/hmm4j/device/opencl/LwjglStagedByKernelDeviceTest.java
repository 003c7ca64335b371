package io.github.hmm4j.device.opencl;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
final class LwjglStagedByKernelDeviceTest extends ClDeviceContract {

    LwjglStagedByKernelDeviceTest() {
        super(ClBinding.LWJGL, CopyMode.STAGED, ScatterMode.KERNEL);
    }
}
