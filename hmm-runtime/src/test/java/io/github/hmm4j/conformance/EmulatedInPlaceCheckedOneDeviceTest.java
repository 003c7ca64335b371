package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@Tag("emulated-igpu")
@EnabledIfSystemProperty(named = "hmm.test.all", matches = "true") // the same as others say, but for the rung or the copy engine
class EmulatedInPlaceCheckedOneDeviceTest extends OneDeviceScenarios {

    EmulatedInPlaceCheckedOneDeviceTest() {
        super(Backend.EMULATED_IN_PLACE_CHECKED);
    }
}
