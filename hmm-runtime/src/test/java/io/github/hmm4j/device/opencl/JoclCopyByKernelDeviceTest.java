package io.github.hmm4j.device.opencl;

final class JoclCopyByKernelDeviceTest extends ClDeviceContract {

    JoclCopyByKernelDeviceTest() {
        super(ClBinding.JOCL, CopyMode.COPY, ScatterMode.KERNEL);
    }
}
