package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The walks of [FailureWalkTest] where kernels use host pages, but for those that the program moves to the device itself.
@Tag("emulated-igpu")
@ParameterizedClass
@EnumSource(names = {"EMULATED_IN_PLACE_CHECKED", "EMULATED_IN_PLACE_UFFD"})
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InPlaceFailureWalkTest extends FailureWalk {

    @ParameterizedTest
    @CsvSource({"STAGED, WRITE, 1", "STAGED, READ, 1", "STAGED, LAUNCH, 8", "COPY, COPY, 2", "COPY, LAUNCH, 8"})
    void everyRefusedCallLeavesPagesWhereTheyWere(CopyMode copies, Call call, int floor) {
        walk(copies, false, call, floor, EmulatedGpu::fail);
    }

    @ParameterizedTest
    @CsvSource({"STAGED, WRITE, 1", "STAGED, READ, 1", "STAGED, LAUNCH, 8", "COPY, COPY, 2", "COPY, LAUNCH, 8"})
    void everyFailedCommandLeavesPagesWhereTheyWere(CopyMode copies, Call call, int floor) {
        walk(copies, false, call, floor, EmulatedGpu::failEnd);
    }

    @ParameterizedTest
    @CsvSource({"STAGED", "COPY"})
    void losingTheDeviceLosesOnlyWhatItHeld(CopyMode copies) {
        assertThat(lose(copies, false)).as("pages poisoned").isPositive();
    }
}
