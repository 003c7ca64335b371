package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("emulated-gpu")
class EmulatedCheckedTwoDevicesTest extends TwoDeviceScenarios {

    EmulatedCheckedTwoDevicesTest() {
        super(Backend.EMULATED_CHECKED);
    }
}
