package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
class SigsegvLwjglOneDeviceTest extends OneDeviceScenarios {

    SigsegvLwjglOneDeviceTest() {
        super(Backend.SIGSEGV_LWJGL);
    }
}
