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

/// As much of [FailureWalkTest] as there is time for on every profile: what differs among them is when memory is committed, which commands wait for which, and what calls of a lost device return. Each copy engine in one
/// kind of frames, and touches by page faults. Run by [EmulatedProfilesTest], on whatever profile its JVM has.
@Tag("emulated-gpu")
@ParameterizedClass
@EnumSource(names = "EMULATED_UFFD")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ProfileWalk extends FailureWalk {

    @ParameterizedTest
    @CsvSource({
        "STAGED, true, CREATE_BUFFER, 1", "STAGED, true, CREATE_SUB_BUFFER, 8", "STAGED, true, WRITE, 5", "STAGED, true, READ, 5", "STAGED, true, FILL, 2", "STAGED, true, COPY, 1", "STAGED, true, LAUNCH, 8",
        "COPY, false, CREATE_BUFFER, 1", "COPY, false, COPY, 6", "COPY, false, MAP, 3", "COPY, false, UNMAP, 3", "COPY, false, FILL, 1", "COPY, false, LAUNCH, 8"
    })
    void everyRefusedCallLeavesPagesWhereTheyWere(CopyMode copies, boolean windows, Call call, int floor) {
        walk(copies, windows, call, floor, EmulatedGpu::fail);
    }

    @ParameterizedTest
    @CsvSource({
        "STAGED, true, WRITE, 5", "STAGED, true, READ, 5", "STAGED, true, FILL, 2", "STAGED, true, LAUNCH, 8", "COPY, false, COPY, 6", "COPY, false, MAP, 3", "COPY, false, UNMAP, 3", "COPY, false, LAUNCH, 8"
    })
    void everyFailedCommandLeavesPagesWhereTheyWere(CopyMode copies, boolean windows, Call call, int floor) {
        walk(copies, windows, call, floor, EmulatedGpu::failEnd);
    }

    @ParameterizedTest
    @CsvSource({"STAGED, true", "COPY, false"})
    void losingTheDeviceLosesOnlyWhatItHeld(CopyMode copies, boolean windows) {
        assertThat(lose(copies, windows)).as("pages poisoned").isPositive();
    }
}
