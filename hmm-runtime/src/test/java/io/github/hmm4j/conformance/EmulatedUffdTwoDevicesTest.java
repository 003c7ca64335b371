package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("emulated-gpu")
class EmulatedUffdTwoDevicesTest extends TwoDeviceScenarios {

    EmulatedUffdTwoDevicesTest() {
        super(Backend.EMULATED_UFFD);
    }
}
