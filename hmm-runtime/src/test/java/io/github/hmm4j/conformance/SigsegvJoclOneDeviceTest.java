package io.github.hmm4j.conformance;

class SigsegvJoclOneDeviceTest extends OneDeviceScenarios {

    SigsegvJoclOneDeviceTest() {
        super(Backend.SIGSEGV_JOCL);
    }
}
