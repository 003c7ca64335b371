package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("emulated-igpu")
class EmulatedInPlaceUffdOneDeviceTest extends OneDeviceScenarios {

    EmulatedInPlaceUffdOneDeviceTest() {
        super(Backend.EMULATED_IN_PLACE_UFFD);
    }
}
