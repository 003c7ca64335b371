package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
class OpenClJoclOneDeviceTest extends OneDeviceScenarios {

    OpenClJoclOneDeviceTest() {
        super(Backend.OPENCL_JOCL);
    }
}
