package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
class SigsegvJoclOneDeviceTest extends OneDeviceScenarios {

    SigsegvJoclOneDeviceTest() {
        super(Backend.SIGSEGV_JOCL);
    }
}
