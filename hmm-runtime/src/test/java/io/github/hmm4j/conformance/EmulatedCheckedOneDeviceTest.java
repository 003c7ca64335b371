package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("emulated-gpu")
class EmulatedCheckedOneDeviceTest extends OneDeviceScenarios {

    EmulatedCheckedOneDeviceTest() {
        super(Backend.EMULATED_CHECKED);
    }
}
