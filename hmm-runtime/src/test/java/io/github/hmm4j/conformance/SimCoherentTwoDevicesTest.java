package io.github.hmm4j.conformance;

class SimCoherentTwoDevicesTest extends TwoDeviceScenarios {

    SimCoherentTwoDevicesTest() {
        super(Backend.SIM_COHERENT);
    }
}
