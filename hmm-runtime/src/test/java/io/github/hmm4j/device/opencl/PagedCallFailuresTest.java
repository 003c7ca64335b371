package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.emulated.Turns;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// As [PagedFailuresTest], for calls whoever makes them, and for commands that end badly.
@Tag("emulated-gpu")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
final class PagedCallFailuresTest {

    private static final int STATUS = -5;

    private final EmulatedGpu gpu = EmulatedGpu.number(0);

    /// With pages that lie apart carried by a kernel, which takes all the others' calls and some of its own.
    @Test
    void everyFailedCallLeavesBytesAndLocksAsTheyShouldBe() {
        Set<Call> struck = EnumSet.noneOf(Call.class);
        for (Call call : Call.values()) {
            boolean overwrites = false;
            for (int nth = 1; fails(call, nth, overwrites); nth = after(nth)) {
                overwrites = !overwrites;
                struck.add(call);
            }
        }
        assertThat(struck).contains(Call.LAUNCH, Call.WRITE, Call.READ, Call.FILL);
    }

    private static int after(int nth) {
        return Turns.ALL ? nth + (nth < 4 ? 1 : nth) : nth < 3 ? nth + 1 : nth * 4;
    }

    /// Returns whether there was such a call.
    private boolean fails(Call call, int nth, boolean overwrites) {
        EmulatedGpu.reset();
        boolean struck;
        try (Hmm hmm = PagedWalk.open(Hmm.builder().binding(ClBinding.LWJGL).device("0").openCl(ClOptions.DEFAULTS.copy(CopyMode.STAGED).scatter(ScatterMode.KERNEL)))) {
            PagedWalk walk = new PagedWalk(hmm, overwrites);
            long before = gpu.calls(call);
            gpu.fail(call, nth, STATUS);
            boolean failed = false;
            try {
                walk.launch();
            } catch (HmmException e) {
                assertThat(e).isInstanceOf(OpenClFailedException.class);
                failed = true;
            }
            struck = gpu.calls(call) - before >= nth;
            gpu.clear();
            if (failed) {
                walk.afterFailure(overwrites);
                walk.launch();
            }
            walk.requireRight();
        } catch (RuntimeException | Error e) {
            throw new AssertionError("overwrites=%s, %s failed at call %d".formatted(overwrites, call, nth), e);
        }
        assertThat(EmulatedGpu.openObjects()).as("objects alive after %s failed at call %d", call, nth).isZero();
        return struck;
    }
}
