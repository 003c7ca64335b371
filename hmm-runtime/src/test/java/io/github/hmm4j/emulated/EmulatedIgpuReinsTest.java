package io.github.hmm4j.emulated;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// A device with one engine for everything: what is held are the commands that ask for one.
@Tag("emulated-igpu")
final class EmulatedIgpuReinsTest {

    private final EmulatedGpu gpu = EmulatedGpu.number(0);

    @BeforeEach
    @AfterEach
    void reset() {
        EmulatedGpu.reset();
    }

    @Test
    void aHeldCopyLetsKernelsPass() {
        try (OwnCalls own = new OwnCalls(0)) {
            long copies = gpu.completed(Engine.TO_DEVICE);
            gpu.hold(Engine.TO_DEVICE);
            long copy = own.copy();
            own.api.waitFor(own.fill());
            assertThat(own.api.eventStatus(copy)).isPositive();
            gpu.step(Engine.TO_DEVICE);
            assertThat(own.api.eventStatus(copy)).isZero();
            assertThat(gpu.completed(Engine.TO_DEVICE)).isEqualTo(copies + 1);
        }
    }
}
