package io.github.hmm4j.conformance;

class InPlaceCheckedJoclOneDeviceTest extends OneDeviceScenarios {

    InPlaceCheckedJoclOneDeviceTest() {
        super(Backend.IN_PLACE_OPENCL_JOCL);
    }
}
