package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("two-devices")
class InPlaceUffdLwjglTwoDevicesTest extends TwoDeviceScenarios {

    InPlaceUffdLwjglTwoDevicesTest() {
        super(Backend.IN_PLACE_UFFD_LWJGL);
    }
}
