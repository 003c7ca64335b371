package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.hmm4j.error.OpenClFailedException;
import java.lang.reflect.Proxy;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Drivers that are too old for shared virtual memory, which are not to be had any more: two platforms that only say
/// which version they are.
final class SvmSupportTest {

    private static final long OLD = 1;
    private static final long NEW = 2;

    @Test
    void callsNoDriverThatIsTooOld() {
        var support = new SvmSupport(platforms(Map.of(OLD, "OpenCL 1.2 of old", NEW, "OpenCL 2.0 and later")));
        assertThatExceptionOfType(OpenClFailedException.class)
                .isThrownBy(() -> support.require("clSVMAlloc", true, () -> OLD))
                .satisfies(e -> assertThat(e.status()).isEqualTo(ClStatus.INVALID_OPERATION))
                .withMessageContaining("clSVMAlloc").withMessageContaining("version=OpenCL 1.2 of old");
        assertThatCode(() -> support.require("clSVMAlloc", true, () -> NEW)).doesNotThrowAnyException();
    }

    @Test
    void asksOnlyWherePlatformsDiffer() {
        var support = new SvmSupport(platforms(Map.of(NEW, "OpenCL 3.0")));
        support.require("clSVMAlloc", true, () -> {
            throw new AssertionError("there is one platform, and it has the call");
        });
    }

    @Test
    void callsNothingThatTheLibraryLacks() {
        var support = new SvmSupport(platforms(Map.of(NEW, "OpenCL 3.0")));
        assertThatExceptionOfType(OpenClFailedException.class)
                .isThrownBy(() -> support.require("clEnqueueSVMMap", false, () -> NEW))
                .withMessageContaining("clEnqueueSVMMap").withMessageContaining("the OpenCL library is older");
    }

    /// A device is its own platform here.
    private static ClApi platforms(Map<Long, String> versions) {
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class},
                (_, method, arguments) -> switch (method.getName()) {
                    case "platforms" -> versions.keySet().stream().mapToLong(Long::longValue).toArray();
                    case "platformText" -> (int) arguments[1] == Cl.PLATFORM_VERSION
                            ? versions.get((long) arguments[0]) : "a platform";
                    case "deviceNumber" -> arguments[0];
                    default -> throw new AssertionError(method);
                });
    }
}
