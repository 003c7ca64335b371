package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
class InPlaceUffdLwjglOneDeviceTest extends OneDeviceScenarios {

    InPlaceUffdLwjglOneDeviceTest() {
        super(Backend.IN_PLACE_UFFD_LWJGL);
    }
}
