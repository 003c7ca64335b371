package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("two-devices")
class SigsegvLwjglTwoDevicesTest extends TwoDeviceScenarios {

    SigsegvLwjglTwoDevicesTest() {
        super(Backend.SIGSEGV_LWJGL);
    }
}
