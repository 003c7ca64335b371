package io.github.hmm4j.conformance;

class OpenClLwjglOneDeviceTest extends OneDeviceScenarios {

    OpenClLwjglOneDeviceTest() {
        super(Backend.OPENCL_LWJGL);
    }
}
