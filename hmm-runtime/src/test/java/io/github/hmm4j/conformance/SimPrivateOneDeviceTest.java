package io.github.hmm4j.conformance;

class SimPrivateOneDeviceTest extends OneDeviceScenarios {

    SimPrivateOneDeviceTest() {
        super(Backend.SIM_PRIVATE);
    }
}
