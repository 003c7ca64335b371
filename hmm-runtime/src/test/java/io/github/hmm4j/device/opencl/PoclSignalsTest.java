package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.transparent.ChildJvm;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a process without `libjsig` is told.
@Timeout(60)
final class PoclSignalsTest {

    @Test
    void aBuildThatFailsSaysThatThisMayBeWhy() {
        assertThat(child("")).contains("options=-w; POCL replaces signal handlers of the JVM").contains("LD_PRELOAD=").contains("lib/libjsig.so").contains("log of the compiler");
        assertThat(child(ChildJvm.JSIG)).contains("options=-w" + System.lineSeparator() + "log of the compiler");
    }

    private static String child(String preload) {
        return ChildJvm.run(Duration.ofSeconds(50), preload, List.of(), Child.class).output();
    }

    /// Builds nothing: without `libjsig` that could be its end.
    static final class Child {

        private Child() {}

        public static void main(String[] args) {
            System.out.println(new KernelBuildException("k.cl", "a device", "-w", "log of the compiler", PoclSignals.problem(PoclCache.PLATFORM)).getMessage());
        }
    }
}
