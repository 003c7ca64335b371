package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The real devices beside drivers that are broken or too old.
final class ClPlatformsTest {

    private static final long BROKEN_PLATFORM = 1;
    private static final long OLD_DEVICE = 2;
    private static final long BROKEN_DEVICE = 3;

    private final ClApi real = Bindings.load(ClBinding.LWJGL);

    @Test
    void driversThatFailDoNotHideTheOthers() {
        ClPlatforms.Survey survey = ClPlatforms.survey(amongOthers());

        assertThat(survey.usable()).isEqualTo(ClPlatforms.devices(real)).isNotEmpty();
        List<ClPlatforms.Ignored> ignored = new ArrayList<>(survey.ignored());
        ignored.removeAll(ClPlatforms.survey(real).ignored()); // drivers of this machine that have no device
        assertThat(ignored).extracting(ClPlatforms.Ignored::device, ClPlatforms.Ignored::why).satisfiesExactlyInAnyOrder(
                broken -> assertThat(broken.toString()).contains("a device without a name").contains("clGetDeviceInfo"),
                old -> assertThat(old.toString()).contains("Old GPU").contains("needs OpenCL 1.2, has OpenCL 1.1"),
                platform -> assertThat(platform.toString()).contains("clGetDeviceIDs failed: status=CL_OUT_OF_HOST_MEMORY"));
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void oneThreadAtATimeLooks() throws InterruptedException {
        AtomicInteger looking = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Thread other = Thread.ofPlatform().unstarted(() -> ClPlatforms.survey(driver(() -> most.accumulateAndGet(looking.incrementAndGet(), Math::max))));
        ClPlatforms.survey(driver(() -> {
            looking.incrementAndGet();
            other.start();
            while (other.getState() != Thread.State.BLOCKED && other.isAlive()) {
                Thread.onSpinWait();
            }
            looking.decrementAndGet();
        }));
        other.join();
        assertThat(most).hasValue(1);
    }

    /// A driver without a platform.
    private static ClApi driver(Runnable whenAsked) {
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, _) -> {
            assertThat(method.getName()).isEqualTo("platforms");
            whenAsked.run();
            return new long[0];
        });
    }

    /// Two more devices on the first platform, and a platform that fails before it.
    private ClApi amongOthers() {
        long first = real.platforms()[0];
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, arguments) -> {
            long handle = arguments != null && arguments[0] instanceof Long value ? value : 0;
            if (method.getName().equals("platforms")) {
                return LongStream.concat(LongStream.of(BROKEN_PLATFORM), LongStream.of(real.platforms())).toArray();
            }
            if (handle == BROKEN_PLATFORM) {
                throw ClStatus.failure(-6, "clGetDeviceIDs", "platform=1");
            }
            if (handle == BROKEN_DEVICE) {
                throw ClStatus.failure(-5, "clGetDeviceInfo", "device=3");
            }
            if (handle == OLD_DEVICE) {
                return (int) arguments[1] == Cl.DEVICE_VERSION ? "OpenCL 1.1 old" : "Old GPU";
            }
            if (method.getName().equals("devices") && handle == first) {
                return LongStream.concat(LongStream.of(BROKEN_DEVICE, OLD_DEVICE), LongStream.of(real.devices(first))).toArray();
            }
            try {
                return method.invoke(real, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }
}
