package io.github.hmm4j.conformance;

class SimPrivateTwoDevicesTest extends TwoDeviceScenarios {

    SimPrivateTwoDevicesTest() {
        super(Backend.SIM_PRIVATE);
    }
}
