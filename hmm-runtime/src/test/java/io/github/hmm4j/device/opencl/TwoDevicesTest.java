package io.github.hmm4j.device.opencl;

import static io.github.hmm4j.device.HostRange.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.HostRange;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Two devices of one platform, as `POCL_DEVICES="pthread pthread"` makes them.
@Tag("two-devices")
final class TwoDevicesTest {

    @ParameterizedTest
    @EnumSource(ClBinding.class)
    void twoDevicesHaveContextsOfTheirOwnAndKeepTheirMemoryApart(ClBinding binding) {
        var api = new InterceptedClApi(Bindings.load(binding));
        List<ClDeviceId> ids = ClPlatforms.devices(api.api());
        assumeTrue(ids.size() >= 2, "needs two OpenCL devices; POCL makes them with POCL_DEVICES=\"pthread pthread\"");
        List<ClDevice> devices = ClDevice.openAll(api.api(), ids.subList(0, 2), ClOptions.DEFAULTS);
        ClDevice first = devices.get(0);
        ClDevice second = devices.get(1);
        assertThat(api.calls()).containsEntry("createContext", 2);
        assertThat(first.context()).isNotEqualTo(second.context());
        ClDeviceTest.assertCopies(first);
        ClDeviceTest.assertCopies(second);
        try (var host = new HostRange(PAGE);
                DeviceMemory memory = first.allocate(PAGE);
                var engine = second.copyEngine(host.addressBytes(), host.lengthBytes())) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.toDevice(List.of(host.run(0, memory, 0, 1))));
        }
        first.close();
        ClDeviceTest.assertCopies(second);
        second.close();
        assertThat(api.live()).isZero();
    }
}
