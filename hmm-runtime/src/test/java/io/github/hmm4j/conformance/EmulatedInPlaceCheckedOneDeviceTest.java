package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("emulated-igpu")
class EmulatedInPlaceCheckedOneDeviceTest extends OneDeviceScenarios {

    EmulatedInPlaceCheckedOneDeviceTest() {
        super(Backend.EMULATED_IN_PLACE_CHECKED);
    }
}
