package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.FirstDevice;
import io.github.hmm4j.transparent.ChildJvm;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Once a heap is open no class of ours with static state is initialised any more, so none can break because the Java
/// heap is full. The program is [EarlyClassesWorker].
@Timeout(value = 200, unit = TimeUnit.SECONDS)
class EarlyClassesTest {

    /// As the JVM logs it; a class without static state has no method for it, and cannot break. The reins of the emulated GPU are the test's own.
    private static final Pattern INITIALIZED = Pattern.compile("Initializing '(io/github/hmm4j/(?!emulated/)[^']+)' \\(");

    @ParameterizedTest
    @EnumSource(names = {"EMULATED_CHECKED", "UFFD_LWJGL"})
    void nothingOfOursIsInitialisedOnceAHeapIsOpen(Backend backend) {
        check(backend);
    }

    @Tag("elsewhere")
    @ParameterizedTest
    @EnumSource(names = {"EMULATED_UFFD", "OPENCL_LWJGL", "SIGSEGV_LWJGL", "IN_PLACE_UFFD_LWJGL"})
    void nothingIsOnOtherGround(Backend backend) {
        check(backend);
    }

    private static void check(Backend backend) {
        assumeTrue(!backend.isInPlace() || FirstDevice.worksInHostMemory(), "kernels of this device use no host pages");
        Duration limit = Duration.ofSeconds(120);
        List<String> options = List.of("-Xlog:class+init=info:stdout:none");
        ChildJvm.Result result = backend.hasReins() ? EmulatedProfilesTest.on("nvidia", limit, options, EarlyClassesWorker.class, backend.name())
                : ChildJvm.run(limit, options, EarlyClassesWorker.class, backend.name());
        assumeTrue(result.status() != EarlyClassesWorker.SKIPPED, "the device uses no host pages just now");
        assertThat(result.status()).as(result.output()).isZero();
        List<String> lines = result.output().lines().toList();
        int opened = lines.indexOf(EarlyClassesWorker.OPENED);
        assertThat(lines.indexOf("done")).isGreaterThan(opened);
        assertThat(lines.subList(0, opened)).as("how the JVM tells of it").anyMatch(line -> INITIALIZED.matcher(line)
                .find() && line.contains("page/Transition'"));
        assertThat(lines.subList(opened, lines.indexOf("done")).stream().map(INITIALIZED::matcher)
                .filter(Matcher::find).map(found -> found.group(1))).isEmpty();
    }
}
