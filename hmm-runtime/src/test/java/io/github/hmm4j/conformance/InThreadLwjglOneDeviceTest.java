package io.github.hmm4j.conformance;

import org.junit.jupiter.api.Tag;

@Tag("elsewhere")
class InThreadLwjglOneDeviceTest extends OneDeviceScenarios {

    InThreadLwjglOneDeviceTest() {
        super(Backend.IN_THREAD_LWJGL);
    }
}
