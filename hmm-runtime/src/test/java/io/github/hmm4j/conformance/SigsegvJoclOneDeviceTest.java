package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("exhaustive")
class SigsegvJoclOneDeviceTest extends OneDeviceScenarios {

    SigsegvJoclOneDeviceTest() {
        super(Backend.SIGSEGV_JOCL);
    }
}
