package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.transparent.ChildJvm;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The Java heap runs out at every point of everything that a heap does. The program is [AllocationWalk].
@Timeout(value = 600, unit = TimeUnit.SECONDS)
class AllocationWalkTest {

    private static final Duration LIMIT = Duration.ofSeconds(300);

    /// The floor is how often something must have failed, so that a walk that no longer walks is noticed.
    @ParameterizedTest
    @CsvSource({
        "SIM_PRIVATE, windows, ONCE, 1000", "SIM_PRIVATE, windows, FROM_THEN_ON, 1000", "SIM_PRIVATE, aperture, FROM_THEN_ON, 1000",
        "SIM_COHERENT, aperture, FROM_THEN_ON, 1000"
    })
    void everyFailedAllocationLeavesAllAsItWas(Backend backend, String frames, AllocationFaults.Mode mode, int floor) {
        ChildJvm.Result result = ChildJvm.run(LIMIT, List.of("-Xmx256m"), AllocationWalk.class, backend.name(), frames, mode.name(), "0");
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.numbers().get("failed")).as(result.output()).isGreaterThan(floor);
    }
}
