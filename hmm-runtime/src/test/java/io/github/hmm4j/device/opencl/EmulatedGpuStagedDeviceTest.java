package io.github.hmm4j.device.opencl;

final class EmulatedGpuStagedDeviceTest extends EmulatedGpuDevice {

    EmulatedGpuStagedDeviceTest() {
        super(CopyMode.STAGED);
    }
}
