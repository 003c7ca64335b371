package io.github.hmm4j.demos.device;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.report.Units;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.opencl.ClAdvice;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.ClPlatforms;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.device.sim.SimDevice;
import io.github.hmm4j.device.sim.SimKernels;
import io.github.hmm4j.error.NoDeviceException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Opens what `--device`, `--binding`, `--budget` and `--page-size` ask for.
public final class Opening {
    /// Allocations start at multiples of this.
    private static final long REGION_BYTES = ByteSize.mib(2);

    private Opening() {}

    /// A heap of at least `heapBytes` on the chosen device.
    ///
    /// @param kernels what a simulated device can run
    /// @throws UsageException if there are devices, but not the one that was asked for
    public static Hmm heap(DeviceChoice choice, long heapBytes, SimKernels kernels) throws UsageException {
        HmmBuilder builder = settings(choice, heapBytes);
        if (choice.simulated()) {
            // The default budget is three quarters of the device's memory, and everything should fit without a choice.
            long memoryBytes = Math.max(2 * heapBytes, choice.budgetBytes().orElse(0));
            return builder.device(SimDevice.builder().memory(memoryBytes).kernels(kernels).open()).open();
        }
        selected(OpenClDevices.api(binding(choice.binding())), choice);
        return builder.open();
    }

    /// All that was asked for of a heap. Where that is the simulated device, the caller still has to give it.
    public static HmmBuilder settings(DeviceChoice choice, long heapBytes) {
        HmmBuilder builder = Hmm.builder().heap(heapBytes).binding(binding(choice.binding()));
        if (!choice.simulated()) {
            choice.device().ifPresent(builder::device);
        }
        choice.budgetBytes().ifPresent(builder::budget);
        choice.pageSizeBytes().ifPresent(builder::pageSize);
        choice.trace().ifPresent(builder::trace);
        choice.copy().map(CopyMode::of).ifPresent(builder::copy);
        return builder;
    }

    /// The same device through bare OpenCL, for the program that copies by itself; none if it is simulated.
    ///
    /// @throws UsageException if there are devices, but not the one that was asked for
    public static Optional<BareOpenCl> bare(DeviceChoice choice) throws UsageException {
        if (choice.simulated()) {
            return Optional.empty();
        }
        ClApi api = OpenClDevices.api(binding(choice.binding()));
        return Optional.of(BareOpenCl.open(api, selected(api, choice), false));
    }

    /// The same for measuring: its queue keeps times.
    ///
    /// @throws UsageException if there are devices, but not the one that was asked for, or it is the simulated one
    public static BareOpenCl profiled(DeviceChoice choice) throws UsageException {
        if (choice.simulated()) {
            throw new UsageException("this benchmark compares with plain OpenCL, which the simulated device does not know");
        }
        ClApi api = OpenClDevices.api(binding(choice.binding()));
        return BareOpenCl.open(api, selected(api, choice), true);
    }

    /// What a heap needs for allocations of these sizes.
    public static long heapBytes(long... allocationBytes) {
        long sum = 0;
        for (long bytes : allocationBytes) {
            sum += Math.ceilDiv(bytes, REGION_BYTES) * REGION_BYTES;
        }
        return sum;
    }

    /// Refuses a device that cannot hold the whole heap, for kernels that follow pointers.
    ///
    /// @throws UsageException naming the option that would help
    public static void requireAperture(Hmm hmm, DeviceChoice choice) throws UsageException {
        HmmDevice device = hmm.device();
        if (device.hasAperture()) {
            return;
        }
        long heap = hmm.heap().capacityBytes();
        if (heap > device.info().maxAllocationBytes()) {
            throw new UsageException("kernels that follow pointers need the whole heap in one allocation: heap=%s, but %s"
                .formatted(Units.bytes(heap), "--device %s allocates at most %s at once; choose another device or less data"
                    .formatted(device.info().name(), Units.bytes(device.info().maxAllocationBytes()))));
        }
        throw new UsageException("kernels that follow pointers need the whole heap on the device: heap=%s, budget=%s%s; %s"
            .formatted(Units.bytes(heap), Units.bytes(device.budgetBytes()),
                choice.budgetBytes().isPresent() ? "" : " (the runtime's choice)",
                String.format(Locale.ROOT, "pass --budget %dM or more, or less data",
                    Math.ceilDiv(heap, ByteSize.mib(1)))));
    }

    public static ClBinding binding(Binding binding) {
        return switch (binding) {
            case LWJGL -> ClBinding.LWJGL;
            case JOCL -> ClBinding.JOCL;
        };
    }

    /// The device as results name it; one that is a CPU says so.
    public static String label(DeviceInfo info) {
        return switch (info.kind()) {
            case CPU -> info.name() + " (CPU device)";
            case SIMULATED -> info.name() + " (simulated)";
            case GPU, ACCELERATOR, OTHER -> info.name();
        };
    }

    /// The binding as results name it: a simulated device has none.
    public static String bindingName(DeviceChoice choice) {
        return choice.simulated() ? "none" : choice.binding().toString();
    }

    /// Whether Java may touch managed memory as it is; else it needs views.
    public static boolean isTransparent(Hmm hmm) {
        return hmm.hostAccess().mode().isTransparent();
    }

    /// How Java touches managed memory, as results name it: `uffd`, `sigsegv` or `checked`.
    public static String hostAccess(Hmm hmm) {
        return hmm.hostAccess().mode().name().toLowerCase(Locale.ROOT);
    }

    /// Handles are good for the `api` that found them only.
    private static ClDeviceId selected(ClApi api, DeviceChoice choice) throws UsageException {
        List<ClDeviceId> found = ClPlatforms.devices(api);
        if (found.isEmpty()) {
            throw ClAdvice.noDevice(binding(choice.binding()), ClPlatforms.survey(api).ignored());
        }
        try {
            return OpenClDevices.choose(found, choice.device().orElse(""));
        } catch (NoDeviceException e) {
            throw new UsageException("--device: " + e.getMessage());
        }
    }
}
