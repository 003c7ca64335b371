package io.github.hmm4j.conformance;

class UffdJoclOneDeviceTest extends OneDeviceScenarios {

    UffdJoclOneDeviceTest() {
        super(Backend.UFFD_JOCL);
    }
}
