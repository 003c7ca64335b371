package io.github.hmm4j.conformance;

class SimCoherentOneDeviceTest extends OneDeviceScenarios {

    SimCoherentOneDeviceTest() {
        super(Backend.SIM_COHERENT);
    }
}
