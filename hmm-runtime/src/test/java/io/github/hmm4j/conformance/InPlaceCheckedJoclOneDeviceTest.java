package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
class InPlaceCheckedJoclOneDeviceTest extends OneDeviceScenarios {

    InPlaceCheckedJoclOneDeviceTest() {
        super(Backend.IN_PLACE_OPENCL_JOCL);
    }
}
