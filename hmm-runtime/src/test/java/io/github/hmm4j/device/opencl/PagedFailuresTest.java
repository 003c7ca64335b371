package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Fails every OpenCL call that Java makes for a launch through the page table in turn: no byte is wrong afterwards, nothing is locked or claimed, and the same launch again comes to its end. Calls of
/// native code: [PagedCallFailuresTest].
@Tag("elsewhere")
@Timeout(value = 20, unit = TimeUnit.MINUTES) // for what hangs: how long hundreds of heaps take is the machine's business
final class PagedFailuresTest {

    private static final Set<String> HARMLESS = Set.of("releaseEvent", "releaseMemory", "releaseQueue", "releaseContext", "releaseKernel", "releaseProgram", "eventTime", "kernelNumber",
            "kernelBytes", "kernelText");

    /// What carries pages that lie apart has calls of its own.
    @Test
    void aKernelOfOursThatFailsLeavesBytesAndLocksAsTheyShouldBe() {
        ClOptions options = ClOptions.DEFAULTS.copy(CopyMode.STAGED).scatter(ScatterMode.KERNEL);
        Set<String> methods = methods(options);
        assertThat(methods).contains("enqueueWait", "enqueueKernel", "setValue", "createQueue");
        for (String method : List.of("enqueueWait", "enqueueKernel", "setValue", "createQueue", "createBuffer", "enqueueMarker", "enqueueWrite", "enqueueRead", "flush")) {
            for (int nth = 1; fails(options, method, nth, nth % 2 == 0); nth += nth < 4 ? 1 : nth) {
                methods.remove(method);
            }
        }
        assertThat(methods).as("was failed at least once").doesNotContain("enqueueWait", "enqueueKernel", "setValue");
    }

    /// With the copies that the device would have by itself.
    @Test
    void everyFailedCallLeavesBytesAndLocksAsTheyShouldBe() {
        walk(ClOptions.DEFAULTS);
    }

    @Test
    void everyFailedCallOfStagedCopiesDoes() {
        walk(ClOptions.DEFAULTS.copy(CopyMode.STAGED));
    }

    private static void walk(ClOptions options) {
        Set<String> struck = new TreeSet<>();
        for (String method : methods(options)) {
            for (boolean overwrites : new boolean[] {false, true}) {
                for (int nth = 1; fails(options, method, nth, overwrites); nth += nth < 8 ? 1 : nth / 4) {
                    struck.add(method);
                }
            }
        }
        assertThat(struck).contains("enqueueZero", "flush", "createBuffer", "setMemory", "waitFor");
        assertThat(struck.contains("enqueueWrite")).isEqualTo(copiesOf(options) == CopyMode.STAGED);
    }

    /// What a launch without failures calls.
    private static Set<String> methods(ClOptions options) {
        InterceptedClApi intercepted = new InterceptedClApi(Bindings.load(ClBinding.LWJGL));
        try (Hmm hmm = open(intercepted.api(), options)) {
            PagedWalk walk = new PagedWalk(hmm, true);
            intercepted.fail("nothing", 1);
            walk.launch();
            walk.requireRight();
        }
        Set<String> methods = new TreeSet<>(intercepted.calls().keySet());
        methods.removeAll(HARMLESS);
        return methods;
    }

    /// Which copies a device has by itself depends on the device.
    private static CopyMode copiesOf(ClOptions options) {
        try (Hmm hmm = open(Bindings.load(ClBinding.LWJGL), options)) {
            return CopyMode.of(hmm.device().copyEngine());
        }
    }

    private static Hmm open(ClApi api, ClOptions options) {
        ClDevice device = ClDevice.open(api, Bindings.firstDevice(api), options);
        return PagedWalk.open(Hmm.builder().device(device));
    }

    /// Returns whether there was such a call.
    private static boolean fails(ClOptions options, String method, int nth, boolean overwrites) {
        InterceptedClApi intercepted = new InterceptedClApi(Bindings.load(ClBinding.LWJGL));
        boolean struck;
        try (Hmm hmm = open(intercepted.api(), options)) {
            PagedWalk walk = new PagedWalk(hmm, overwrites);
            intercepted.fail(method, nth);
            boolean failed = false;
            try {
                walk.launch();
            } catch (HmmException e) {
                assertThat(e).isInstanceOf(OpenClFailedException.class);
                failed = true;
            }
            struck = intercepted.calls().getOrDefault(method, 0) >= nth;
            intercepted.fail("nothing", 1);
            if (failed) {
                walk.afterFailure(overwrites);
                walk.launch();
            }
            walk.requireRight();
        } catch (RuntimeException | Error e) {
            throw new AssertionError("%s, overwrites=%s, %s failed at call %d".formatted(options, overwrites, method, nth), e);
        }
        assertThat(intercepted.live()).as("objects alive after %s failed at call %d", method, nth).isZero();
        return struck;
    }
}
