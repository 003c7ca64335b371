package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("emulated-gpu")
class EmulatedUffdOneDeviceTest extends OneDeviceScenarios {

    EmulatedUffdOneDeviceTest() {
        super(Backend.EMULATED_UFFD);
    }
}
