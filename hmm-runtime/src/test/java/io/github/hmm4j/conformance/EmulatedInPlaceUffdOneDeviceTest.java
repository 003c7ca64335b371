package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@Tag("emulated-igpu")
@EnabledIfSystemProperty(named = "hmm.test.all", matches = "true") // the same as others say, but for the rung or the copy engine
class EmulatedInPlaceUffdOneDeviceTest extends OneDeviceScenarios {

    EmulatedInPlaceUffdOneDeviceTest() {
        super(Backend.EMULATED_IN_PLACE_UFFD);
    }
}
