package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Program;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.emulated.Turns;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.kernels.Source;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Fails device calls of a program in turn, and the ends of commands, and loses the device at calls in turn: at all of them with `-Dhmm.test.all=true`.
@Tag("emulated-gpu")
@ParameterizedClass
@EnumSource(names = {"EMULATED_CHECKED", "EMULATED_UFFD"})
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FailureWalkTest extends FailureWalk {

    /// After each failure every page is where it was and holds what it held, and the program goes on to the right end.
    ///
    /// The floor is how many such calls the program makes at least, so that one that no longer does is noticed.
    @ParameterizedTest
    @CsvSource({
        "STAGED, true, CREATE_BUFFER, 1", "STAGED, true, CREATE_SUB_BUFFER, 8", "STAGED, true, WRITE, 5", "STAGED, true, READ, 5", "STAGED, true, FILL, 2", "STAGED, true, COPY, 1",
        "STAGED, true, LAUNCH, 8",
        "STAGED, false, CREATE_BUFFER, 1", "STAGED, false, CREATE_SUB_BUFFER, 4", "STAGED, false, WRITE, 3", "STAGED, false, READ, 3", "STAGED, false, FILL, 1",
        "STAGED, false, LAUNCH, 8",
        "COPY, true, CREATE_BUFFER, 1", "COPY, true, CREATE_SUB_BUFFER, 8", "COPY, true, COPY, 11", "COPY, true, MAP, 5", "COPY, true, UNMAP, 5", "COPY, true, FILL, 2", "COPY, true, LAUNCH, 8",
        "COPY, false, CREATE_BUFFER, 1", "COPY, false, CREATE_SUB_BUFFER, 4", "COPY, false, COPY, 6", "COPY, false, MAP, 3", "COPY, false, UNMAP, 3", "COPY, false, FILL, 1",
        "COPY, false, LAUNCH, 8"
    })
    void everyRefusedCallLeavesPagesWhereTheyWere(CopyMode copies, boolean windows, Call call, int floor) {
        walk(copies, windows, call, floor, EmulatedGpu::fail);
    }

    /// The same of commands that were accepted and end badly. What a kernel that failed was to write is lost.
    @ParameterizedTest
    @CsvSource({
        "STAGED, true, WRITE, 5", "STAGED, true, READ, 5", "STAGED, true, FILL, 2", "STAGED, true, COPY, 1", "STAGED, true, LAUNCH, 8",
        "STAGED, false, WRITE, 3", "STAGED, false, READ, 3", "STAGED, false, FILL, 1", "STAGED, false, LAUNCH, 8",
        "COPY, true, COPY, 11", "COPY, true, MAP, 5", "COPY, true, UNMAP, 5", "COPY, true, FILL, 2", "COPY, true, LAUNCH, 8",
        "COPY, false, COPY, 6", "COPY, false, MAP, 3", "COPY, false, UNMAP, 3", "COPY, false, FILL, 1", "COPY, false, LAUNCH, 8"
    })
    void everyFailedCommandLeavesPagesWhereTheyWere(CopyMode copies, boolean windows, Call call, int floor) {
        walk(copies, windows, call, floor, EmulatedGpu::failEnd);
    }

    /// Pages that only the lost device held are poisoned, all others are intact, and the heap closes.
    @ParameterizedTest
    @CsvSource({"STAGED, true", "STAGED, false", "COPY, true", "COPY, false"})
    void losingTheDeviceLosesOnlyWhatItHeld(CopyMode copies, boolean windows) {
        assertThat(lose(copies, windows)).as("pages poisoned").isPositive();
    }

    /// It may say so, and all the same nothing is left of it.
    @ParameterizedTest
    @CsvSource({"STAGED, true", "COPY, false"})
    void aHeapThatCannotTidyUpIsClosed(CopyMode copies, boolean windows) {
        long made = 0;
        boolean struck = true;
        for (int nth = 1; struck; nth = Turns.after(nth)) {
            EmulatedGpu.reset();
            Rig rig = open(copies, windows);
            new Walk(rig, false).failing();
            long callsBefore = rig.gpu(0).calls(Call.UNMAP);
            rig.gpu(0).fail(Call.UNMAP, nth);
            closeThoughItFails(rig, OpenClFailedException.class);
            made = rig.gpu(0).calls(Call.UNMAP) - callsBefore;
            struck = made >= nth;
            Rig.assertObjectsLeft(0, "unmapping failed at call %d".formatted(nth));
        }
        assertThat(made).as("calls").isPositive();
    }

    @Test
    void programsThatFailToBuildCanBeBuiltAgain() {
        for (Call call : List.of(Call.BUILD_PROGRAM, Call.CREATE_KERNEL)) {
            EmulatedGpu.reset();
            try (Hmm hmm = backend.builder(1).heap(ByteSize.mib(2)).open()) {
                Program program = hmm.program(Source.resource("access.cl"));
                EmulatedGpu.number(0).fail(call, 1);
                assertThatThrownBy(() -> program.kernel("add_ints")).isInstanceOf(OpenClFailedException.class);
                assertThat(program.kernel("add_ints").name()).isEqualTo("add_ints");
            }
            Rig.assertObjectsLeft(0, call + " failed");
        }
    }
}
