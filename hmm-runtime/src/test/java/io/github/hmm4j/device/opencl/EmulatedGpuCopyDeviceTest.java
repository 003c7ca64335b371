package io.github.hmm4j.device.opencl;

final class EmulatedGpuCopyDeviceTest extends EmulatedGpuDevice {

    EmulatedGpuCopyDeviceTest() {
        super(CopyMode.COPY);
    }
}
