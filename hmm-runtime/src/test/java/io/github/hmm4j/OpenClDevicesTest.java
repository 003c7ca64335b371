package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceInfo.Kind;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.ClHardware;
import io.github.hmm4j.error.NoDeviceException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Which device is taken, among some that are not here.
final class OpenClDevicesTest {

    private static final String SLOT = "0000:3b:00.0";
    private static final String UUID = "00112233445566778899aabbccddeeff";

    private final ClDeviceId cpu = device(1, "cpu", Kind.CPU, 512, true, ClHardware.UNKNOWN);
    private final ClDeviceId integrated = device(2, "iris", Kind.GPU, 64, true, new ClHardware("", "0000:00:02.0", true));
    private final ClDeviceId discrete = device(3, "radeon", Kind.GPU, 8, false, new ClHardware("", SLOT, true));

    private static ClDeviceId device(long platform, String name, Kind kind, long memoryGib, boolean unified, ClHardware hardware) {
        return new ClDeviceId(platform, 100 * platform + name.hashCode(), "platform " + platform, hardware, new DeviceInfo(name, "vendor", "driver", "lwjgl", kind,
                ByteSize.gib(memoryGib), ByteSize.gib(memoryGib) / 4, 128, 256, 8, 32 << 10, unified, Set.of()));
    }

    @Test
    void takesDiscreteBeforeIntegratedBeforeOthersWhateverTheirMemory() {
        assertThat(OpenClDevices.choose(List.of(cpu, integrated, discrete), "")).isSameAs(discrete);
        assertThat(OpenClDevices.choose(List.of(integrated, cpu), "")).isSameAs(integrated);
        ClDeviceId larger = device(4, "larger", Kind.GPU, 16, false, ClHardware.UNKNOWN);
        assertThat(OpenClDevices.choose(List.of(discrete, larger, integrated), "")).isSameAs(larger);
    }

    @Test
    void takesOneGpuThatTwoDriversShowOnceByTheDriverOfItsMaker() {
        ClDeviceId layered = device(1, "radeon over another driver", Kind.GPU, 16, false, new ClHardware(UUID, SLOT, false));
        List<ClDeviceId> found = List.of(layered, cpu, discrete);
        assertThat(OpenClDevices.choose(found, "")).isSameAs(discrete);
        assertThat(OpenClDevices.choose(found, "radeon")).isSameAs(discrete);
        assertThat(OpenClDevices.choose(found, "over another")).as("asked for").isSameAs(layered);
        assertThat(OpenClDevices.choose(found, "0")).as("asked for").isSameAs(layered);
        assertThat(OpenClDevices.insteadOf(found, layered)).containsSame(discrete);
        assertThat(OpenClDevices.insteadOf(found, discrete)).isEmpty();
    }

    @Test
    void takesTheFirstDriverWhereNoneIsTheMakersAndKnowsDevicesByTheirUuidToo() {
        ClDeviceId first = device(1, "first", Kind.GPU, 8, false, new ClHardware(UUID, "", false));
        ClDeviceId second = device(2, "second", Kind.GPU, 16, false, new ClHardware(UUID, SLOT, false));
        assertThat(OpenClDevices.choose(List.of(first, second), "")).isSameAs(first);
        assertThat(OpenClDevices.choose(List.of(second, first), "")).isSameAs(second);
    }

    @Test
    void keepsDevicesApartThatAreTwo() {
        ClDeviceId part = device(3, "part of the same card", Kind.GPU, 16, false, new ClHardware("", SLOT, true));
        assertThat(part.isTwinOf(discrete)).as("both of one driver").isFalse();
        ClDeviceId silent = device(5, "silent", Kind.GPU, 16, false, ClHardware.UNKNOWN);
        ClDeviceId alsoSilent = device(6, "also silent", Kind.GPU, 16, false, ClHardware.UNKNOWN);
        assertThat(silent.isTwinOf(alsoSilent)).isFalse();
        assertThat(silent.isTwinOf(discrete)).isFalse();
    }

    @Test
    void namesWhatThereIsIfNoneMatches() {
        assertThatThrownBy(() -> OpenClDevices.choose(List.of(cpu, discrete), "geforce")).isInstanceOf(NoDeviceException.class)
                .hasMessageContaining("geforce").hasMessageContaining("1: radeon");
    }
}
