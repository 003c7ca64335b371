package io.github.hmm4j.emulated;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.Overlap;
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

    @Test
    void itIsSeenThatReadsWaitForKernels() {
        try (Hmm hmm = Hmm.builder().open()) {
            Overlap overlap = ((ClDevice) hmm.device().device()).overlap();
            assertThat(overlap.proven()).as(overlap.why()).isFalse();
            assertThat(overlap.why()).contains("ended while a kernel ran for");
        }
    }
}
