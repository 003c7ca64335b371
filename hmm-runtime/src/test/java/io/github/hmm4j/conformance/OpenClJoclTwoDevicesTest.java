package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("two-devices")
class OpenClJoclTwoDevicesTest extends TwoDeviceScenarios {

    OpenClJoclTwoDevicesTest() {
        super(Backend.OPENCL_JOCL);
    }
}
