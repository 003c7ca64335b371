package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
class InPlaceBufferJoclOneDeviceTest extends OneDeviceScenarios {

    InPlaceBufferJoclOneDeviceTest() {
        super(Backend.IN_PLACE_BUFFER_JOCL);
    }
}
