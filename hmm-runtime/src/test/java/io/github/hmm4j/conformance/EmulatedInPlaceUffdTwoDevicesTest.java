package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("emulated-igpu")
class EmulatedInPlaceUffdTwoDevicesTest extends TwoDeviceScenarios {

    EmulatedInPlaceUffdTwoDevicesTest() {
        super(Backend.EMULATED_IN_PLACE_UFFD);
    }
}
