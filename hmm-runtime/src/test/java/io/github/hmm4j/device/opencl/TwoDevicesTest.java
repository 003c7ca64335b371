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
    void twoDevicesShareAContextAndKeepTheirMemoryApart(ClBinding binding) {
        var api = new InterceptedClApi(Bindings.load(binding));
        List<ClDeviceId> ids = ClPlatforms.devices(api.api());
        assumeTrue(ids.size() >= 2, "needs two OpenCL devices; POCL makes them with POCL_DEVICES=\"pthread pthread\"");
        List<ClDevice> devices = ClDevice.openAll(api.api(), ids.subList(0, 2), ClOptions.DEFAULTS);
        ClDevice first = devices.get(0);
        ClDevice second = devices.get(1);
        assertThat(api.calls()).containsEntry("createContext", 1);
        ClDeviceTest.assertCopies(first);
        ClDeviceTest.assertCopies(second);
        try (var host = new HostRange(PAGE);
                DeviceMemory memory = first.allocate(PAGE);
                var engine = second.copyEngine(host.addressBytes(), host.lengthBytes())) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.toDevice(List.of(host.run(0, memory, 0, 1))));
        }
        first.close();
        // The second lives on in the context they shared.
        ClDeviceTest.assertCopies(second);
        second.close();
        assertThat(api.live()).isZero();
    }

    /// What a later copy between devices stands on: one command, without the host.
    @ParameterizedTest
    @EnumSource(ClBinding.class)
    void memoryOfOneDeviceReachesTheOtherInOneCommand(ClBinding binding) {
        ClApi api = Bindings.load(binding);
        List<ClDeviceId> ids = ClPlatforms.devices(api);
        assumeTrue(ids.size() >= 2, "needs two OpenCL devices; POCL makes them with POCL_DEVICES=\"pthread pthread\"");
        List<ClDevice> devices = ClDevice.openAll(api, ids.subList(0, 2), ClOptions.DEFAULTS);
        try (ClDevice first = devices.get(0); ClDevice second = devices.get(1); var host = new HostRange(2 * PAGE)) {
            host.pages(0, 1).fill((byte) 17);
            var from = (ClMemory) first.allocate(PAGE);
            var to = (ClMemory) second.allocate(PAGE);
            var down = second.copyEngine(host.addressBytes(), host.lengthBytes());
            first.copyEngine(host.addressBytes(), host.lengthBytes()).toDevice(List.of(host.run(0, from, 0, 1)))
                    .await();
            api.enqueueCopy(second.copy().handle(), from.handle(), to.handle(), 0, 0, PAGE, false);
            down.toHost(List.of(host.run(1, to, 0, 1))).await();
            assertThat(host.pages(1, 1).mismatch(host.pages(0, 1))).isEqualTo(-1);
        }
    }
}
