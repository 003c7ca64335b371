package io.github.hmm4j.conformance;

class UffdLwjglOneDeviceTest extends OneDeviceScenarios {

    UffdLwjglOneDeviceTest() {
        super(Backend.UFFD_LWJGL);
    }
}
