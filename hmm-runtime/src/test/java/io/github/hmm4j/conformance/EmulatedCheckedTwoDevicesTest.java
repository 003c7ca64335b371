package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@Tag("emulated-gpu")
@EnabledIfSystemProperty(named = "hmm.test.all", matches = "true") // the same as others say, but for the rung or the copy engine
class EmulatedCheckedTwoDevicesTest extends TwoDeviceScenarios {

    EmulatedCheckedTwoDevicesTest() {
        super(Backend.EMULATED_CHECKED);
    }
}
