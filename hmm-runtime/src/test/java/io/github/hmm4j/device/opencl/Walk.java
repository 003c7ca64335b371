package io.github.hmm4j.device.opencl;

import static io.github.hmm4j.device.HostRange.PAGE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.device.HostRange;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;

/// A walk through all that a device does, in which each step may fail once: it must then have had no effect, so it is
/// simply done again.
final class Walk {

    private static final int PAGES = 1024;

    private final ClApi api;
    private final ClDeviceId id;
    private final ClOptions options;

    Walk(ClApi api, ClDeviceId id, ClOptions options) {
        this.api = api;
        this.id = id;
        this.options = options;
    }

    void run() {
        try (var host = new HostRange((long) PAGES * PAGE)) {
            Device device = twice(() -> ClDevice.open(api, id, options));
            try {
                walk(device, host);
            } finally {
                close(device);
            }
        }
    }

    private static void walk(Device device, HostRange host) {
        CopyEngine engine = twice(() -> device.copyEngine(host.addressBytes(), host.lengthBytes()));
        DeviceMemory memory = twice(() -> device.allocate((long) PAGES * PAGE));
        DeviceMemory other = twice(() -> device.allocate(PAGE));
        DeviceProgram program = twice(() -> device.build(Source.resource("device-contract.cl"), ""));
        DeviceKernel add = twice(() -> program.kernel("add"));
        DeviceMemory slice = twice(() -> memory.slice(PAGE, PAGE));
        host.bytes().asSlice(0, 3 * PAGE).copyFrom(MemorySegment.ofArray(new int[3 * PAGE / Integer.BYTES]));
        for (int i = 0; i < 3 * PAGE / Integer.BYTES; i++) {
            host.bytes().setAtIndex(JAVA_INT, i, i);
        }
        step(() -> engine.zero(other, 0, PAGE).await());
        step(() -> engine.toDevice(
                List.of(host.run(0, memory, 2, 1), host.run(1, memory, 1, 1), host.run(4, memory, 4, PAGES - 4)))
                .await());
        step(() -> engine.toDevice(List.of(host.run(0, other, 0, 1))).await());
        var arguments = List.<KernelArgument>of(new KernelArgument.Memory(slice), new KernelArgument.Memory(other),
                new KernelArgument.Value(MemorySegment.ofArray(new int[] {PAGE / Integer.BYTES})));
        var launched = twice(() -> add.launch(arguments, NDRange.of(PAGE / Integer.BYTES)));
        // Not twice: a launch that has returned runs, and no single call that fails later may hide how it ended.
        launched.await();
        step(() -> engine.toHost(
                List.of(host.run(PAGES - 2, memory, 1, 1), host.run(2, memory, 2, 1),
                host.run(4, memory, 4, PAGES - 8))).await());
        for (int i = 0; i < PAGE / Integer.BYTES; i++) {
            int sum = host.pages(PAGES - 2, 1).getAtIndex(JAVA_INT, i);
            assertThat(sum).isEqualTo(i + PAGE / Integer.BYTES + i);
        }
        assertThat(host.pages(2, 1).mismatch(host.pages(0, 1))).isEqualTo(-1);
    }

    private static void close(Device device) {
        try {
            device.close();
        } catch (HmmException _) {
            device.close();
        }
    }

    private static void step(Runnable step) {
        twice(() -> {
            step.run();
            return 0;
        });
    }

    private static <T> T twice(Supplier<T> step) {
        try {
            return step.get();
        } catch (HmmException _) {
            return step.get();
        }
    }
}
