package io.github.hmm4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A device whose kernels fault, as `src/test/spin/faulting-device.pml` says it, is right in every scenario, and each mutant of it is wrong in the way that its name says.
@Timeout(20 * 60)
@Tag("exhaustive")
class DeviceFaultModelTest {

    private static final Spin MODEL = new Spin("faulting-device.pml");

    private enum Scenario { ONE_KERNEL, TWO_KERNELS, FETCHED, TWO_DEVICES, REFUSED }

    /// A mistake that somebody could make, where it shows, and as what: a property's name, or a deadlock.
    private enum Mutant {
        COPY_BEFORE_WITHHOLDING(Scenario.ONE_KERNEL, "LOST_WRITE"),
        EVICT_WITHOUT_CLAIM(Scenario.ONE_KERNEL, "LOST_WRITE"),
        FORBID_LATE(Scenario.ONE_KERNEL, "LOST_WRITE"),
        TAKE_LATE(Scenario.FETCHED, "STALE_READ"),
        DROP_IN_WORD_ONLY(Scenario.FETCHED, "STALE_READ"),
        EVICT_IN_JAVA(Scenario.ONE_KERNEL, ""),
        CROSS_WITHOUT_WITHHOLDING(Scenario.TWO_DEVICES, "LOST_WRITE"),
        LEAVE_OTHERS(Scenario.TWO_DEVICES, "STALE_READ"),
        FORGET_PEERS(Scenario.TWO_DEVICES, "STALE_READ"),
        TAKE_FROM_CLAIM(Scenario.REFUSED, "LOST_WRITE");

        private final Scenario scenario;
        private final String violation;

        Mutant(Scenario scenario, String violation) {
            this.scenario = scenario;
            this.violation = violation;
        }
    }

    @BeforeAll
    static void needsSpin() throws IOException, InterruptedException {
        Spin.require();
    }

    @ParameterizedTest
    @EnumSource
    void holds(Scenario scenario) throws Exception {
        MODEL.assertHolds(MODEL.search("faulting-" + scenario, List.of("-D" + scenario)), switch (scenario) {
            case FETCHED -> List.of("Kernel", "Cpu", "Fetcher", "Safepoint");
            case REFUSED -> List.of("Kernel", "Safepoint"); // of two kernels alone
            case ONE_KERNEL, TWO_KERNELS, TWO_DEVICES -> List.of("Kernel", "Cpu", "Safepoint");
        });
    }

    @ParameterizedTest
    @EnumSource
    void refutes(Mutant mutant) throws Exception {
        List<String> defines = new ArrayList<>(List.of("-D" + mutant.scenario, "-DMUTANT_" + mutant));
        boolean deadlock = mutant.violation.isEmpty();
        if (!deadlock) {
            defines.add("-DONLY=" + mutant.violation);
        }
        MODEL.assertMentions("MUTANT_" + mutant);
        assertThat(MODEL.search("faulting-mutant-" + mutant, defines, deadlock ? "-A" : "-E")).contains("errors: 1", deadlock ? "pan:1: invalid end state" : "pan:1: assertion violated");
    }
}
