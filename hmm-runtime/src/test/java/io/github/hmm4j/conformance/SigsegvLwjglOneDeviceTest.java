package io.github.hmm4j.conformance;

class SigsegvLwjglOneDeviceTest extends OneDeviceScenarios {

    SigsegvLwjglOneDeviceTest() {
        super(Backend.SIGSEGV_LWJGL);
    }
}
