package io.github.hmm4j.device.opencl;

import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@EnabledIfSystemProperty(named = "hmm.test.all", matches = "true") // the same as others say, but for the rung or the copy engine
final class EmulatedGpuCopyDeviceTest extends EmulatedGpuDevice {

    EmulatedGpuCopyDeviceTest() {
        super(CopyMode.COPY);
    }
}
