package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("two-devices")
class OpenClLwjglTwoDevicesTest extends TwoDeviceScenarios {

    OpenClLwjglTwoDevicesTest() {
        super(Backend.OPENCL_LWJGL);
    }
}
