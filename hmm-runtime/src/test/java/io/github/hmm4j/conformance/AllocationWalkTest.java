package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.FirstDevice;
import io.github.hmm4j.space.Tool;
import io.github.hmm4j.transparent.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The Java heap runs out, or a system call fails, at every point of everything that a heap does. The program is [AllocationWalk].
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class AllocationWalkTest {

    /// For what hangs: a walk opens hundreds of heaps, and the machine may have other things to do.
    private static final Duration LIMIT = Duration.ofMinutes(25);

    /// The floor is how often something must have failed, so that a walk that no longer walks is noticed.
    @ParameterizedTest
    @CsvSource({"OPENCL_LWJGL, aperture, FROM_THEN_ON, 1000", "UFFD_LWJGL, windows, FROM_THEN_ON, 1000", "UFFD_LWJGL, faulting, FROM_THEN_ON, 1000", "UFFD_LWJGL, faulting, ONCE, 1000", "UFFD_LWJGL, windows, SYSTEM_CALL, 10"})
    void whateverFailsLeavesAllAsItWas(Backend backend, String frames, AllocationFaults.Mode mode, int floor) {
        assumeTrue(!frames.equals("faulting") || FirstDevice.worksInHostMemory(), "kernels of this device cannot fault");
        walk(floor, List.of(), ChildJvm.JSIG, backend, frames, mode);
    }

    /// Behind an enqueued kernel, too: it runs and what it writes is kept, or it does not run.
    @Tag("exhaustive")
    @ParameterizedTest
    @CsvSource({"UFFD_LWJGL, ONCE, 1000", "OPENCL_LWJGL, ONCE, 1000", "OPENCL_JOCL, ONCE, 1000", "SIGSEGV_LWJGL, ONCE, 1000", "OPENCL_LWJGL, FROM_THEN_ON, 1000", "OPENCL_LWJGL, SYSTEM_CALL, 10"})
    void whateverFailsOnOtherGroundLeavesAllAsItWas(Backend backend, AllocationFaults.Mode mode, int floor) {
        walk(floor, List.of(), ChildJvm.JSIG, backend, "windows", mode);
    }

    /// Nor does a driver keep anything: what was not released, an emulated GPU tells at the end. Each copy engine has objects of its own, and which of them is the faster is chance.
    @Tag("exhaustive")
    @Tag("source-tree")
    @ParameterizedTest
    @CsvSource({"nvidia, copy, OPENCL_LWJGL, aperture, FROM_THEN_ON, 1000", "nvidia, staged, UFFD_LWJGL, windows, ONCE, 1000", "mali, copy, OPENCL_LWJGL, windows, ONCE, 1000",
        "rocm:leaks=ignore, copy, OPENCL_JOCL, windows, ONCE, 1000"})
    void whateverFailsNothingOfTheDriversIsLost(String device, String copies, Backend backend, String frames, AllocationFaults.Mode mode, int floor) {
        check(floor, EmulatedProfilesTest.on(device, LIMIT, options(List.of("-Dhmm.copy=" + copies)), AllocationWalk.class, backend.name(), frames, mode.name()));
    }

    /// Nor of what a device makes for others, whichever of its allocations fails.
    @Tag("source-tree")
    @ParameterizedTest
    @CsvSource("nvidia, staged, 1000")
    void whateverOfADeviceFailsNothingOfTheDriversIsLost(String device, String copies, int floor) {
        walkOfADevice(device, copies, floor);
    }

    /// Each copy engine has objects of its own, and memory that host and kernels share is another kind.
    @Tag("exhaustive")
    @Tag("source-tree")
    @ParameterizedTest
    @CsvSource({"mali:svm=fine, copy, 1000", "igpu, direct, 500"})
    void nothingIsLostOfOtherDevices(String device, String copies, int floor) {
        walkOfADevice(device, copies, floor);
    }

    /// What host memory is opened and closed for costs most of the time, and is not looked at.
    private static void walkOfADevice(String device, String copies, int floor) {
        String unwatched = device + (device.contains(":") ? "," : ":") + "watch=off";
        check(floor, EmulatedProfilesTest.on(unwatched, LIMIT, options(List.of("-Dhmm.copy=" + copies)), DeviceAllocationWalk.class));
    }

    @Tag("source-tree") // compiles a library of it
    @ParameterizedTest
    @CsvSource({"UFFD_LWJGL, 10", "SIGSEGV_LWJGL, 0"}) // with SIGSEGV a protection that is refused is made good by closing more, and hardly anything fails
    void aSystemCallOfTheNativePartThatFailsLeavesAllAsItWas(Backend backend, int floor) throws IOException, InterruptedException {
        Path library = failingCalls();
        walk(floor, List.of("-Dhmm.test.failingCalls=" + library), library + ":" + ChildJvm.JSIG, backend, "windows",
                AllocationFaults.Mode.NATIVE_CALL);
    }

    private static void walk(int floor, List<String> options, String preload, Backend backend, String frames, AllocationFaults.Mode mode) {
        // JOCL makes an object of its own for what a driver has just made, and another to release an event: where there is no room for that, the driver keeps it.
        Map<String, String> environment = backend.name().endsWith("JOCL") ? ChildJvm.leaksIgnored() : Map.of();
        ChildJvm.Result result = ChildJvm.run(LIMIT, preload, environment, options(options), AllocationWalk.class, backend.name(), frames, mode.name());
        check(floor, result);
    }

    private static List<String> options(List<String> more) {
        List<String> all = new ArrayList<>(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        all.addAll(more);
        return all;
    }

    private static void check(int floor, ChildJvm.Result result) {
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.numbers().get("failed")).as(result.output()).isGreaterThan(floor);
    }

    /// Compiles the library that fails calls.
    private static Path failingCalls() throws IOException, InterruptedException {
        assumeTrue(Tool.isThere("cc"), "there is no cc");
        Path library = Files.createDirectories(Path.of("target", "native-tests").toAbsolutePath()).resolve("failing_calls.so");
        Tool.Result compiled = Tool.run("cc", "-std=c17", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O1", "-shared", "-fPIC", "-o", library.toString(),
                Path.of("src", "test", "c", "shim", "failing_calls.c").toString());
        assertThat(compiled.status()).as(compiled.text()).isZero();
        return library;
    }
}
