package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
class UffdJoclOneDeviceTest extends OneDeviceScenarios {

    UffdJoclOneDeviceTest() {
        super(Backend.UFFD_JOCL);
    }
}
