package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("two-devices")
class UffdLwjglTwoDevicesTest extends TwoDeviceScenarios {

    UffdLwjglTwoDevicesTest() {
        super(Backend.UFFD_LWJGL);
    }
}
