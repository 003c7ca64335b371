package io.github.hmm4j.conformance;

class InPlaceUffdLwjglOneDeviceTest extends OneDeviceScenarios {

    InPlaceUffdLwjglOneDeviceTest() {
        super(Backend.IN_PLACE_UFFD_LWJGL);
    }
}
