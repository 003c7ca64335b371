package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
class SimPrivateOneDeviceTest extends OneDeviceScenarios {

    SimPrivateOneDeviceTest() {
        super(Backend.SIM_PRIVATE);
    }
}
