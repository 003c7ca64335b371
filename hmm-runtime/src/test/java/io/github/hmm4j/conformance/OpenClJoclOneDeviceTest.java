package io.github.hmm4j.conformance;

class OpenClJoclOneDeviceTest extends OneDeviceScenarios {

    OpenClJoclOneDeviceTest() {
        super(Backend.OPENCL_JOCL);
    }
}
