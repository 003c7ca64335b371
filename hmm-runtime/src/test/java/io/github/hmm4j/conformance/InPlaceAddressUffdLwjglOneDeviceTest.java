package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
class InPlaceAddressUffdLwjglOneDeviceTest extends OneDeviceScenarios {

    InPlaceAddressUffdLwjglOneDeviceTest() {
        super(Backend.IN_PLACE_ADDRESS_UFFD_LWJGL);
    }
}
