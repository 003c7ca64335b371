package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceContract;
import java.util.ArrayList;
import java.util.List;

final class SimCoherentContractTest extends DeviceContract {

    private final List<SimDevice> opened = new ArrayList<>();

    @Override
    protected Device open() {
        SimDevice device = SimDevice.builder().coherent(true).memory(64 << 20).kernels(ContractKernels.all()).open();
        opened.add(device);
        return device;
    }

    @Override
    protected long liveObjects() {
        return opened.stream().mapToLong(device -> device.openObjects() + device.usedBytes()).sum();
    }
}
