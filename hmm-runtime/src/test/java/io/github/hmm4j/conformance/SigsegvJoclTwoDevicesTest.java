package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("two-devices")
class SigsegvJoclTwoDevicesTest extends TwoDeviceScenarios {

    SigsegvJoclTwoDevicesTest() {
        super(Backend.SIGSEGV_JOCL);
    }
}
