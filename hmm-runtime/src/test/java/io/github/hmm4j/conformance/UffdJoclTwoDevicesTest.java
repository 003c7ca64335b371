package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("two-devices")
class UffdJoclTwoDevicesTest extends TwoDeviceScenarios {

    UffdJoclTwoDevicesTest() {
        super(Backend.UFFD_JOCL);
    }
}
