package io.github.hmm4j.demos.device;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.opencl.ClAdvice;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.ClPlatforms;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.error.NoDeviceException;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/// Opens what `--device`, `--binding`, `--budget` and `--page-size` ask for.
public final class Opening {
    /// Allocations start at multiples of this.
    private static final long REGION_BYTES = ByteSize.mib(2);

    private Opening() {}

    /// A heap of at least `heapBytes` on the chosen device.
    ///
    /// @param also what else is asked of it
    /// @throws UsageException if there are devices, but not the one that was asked for
    public static Hmm heap(DeviceChoice choice, long heapBytes, UnaryOperator<HmmBuilder> also) throws UsageException {
        selected(OpenClDevices.api(binding(choice.binding())), choice);
        return also.apply(settings(choice, heapBytes)).open();
    }

    /// All that was asked for of a heap.
    public static HmmBuilder settings(DeviceChoice choice, long heapBytes) {
        long roomBytes = choice.deviceFaults() ? 2 * heapBytes : heapBytes; // a page stays free behind each region, and large ones begin at multiples of 2 MiB
        HmmBuilder builder = Hmm.builder().heap(roomBytes).binding(binding(choice.binding()));
        choice.device().ifPresent(builder::device);
        choice.budgetBytes().ifPresent(builder::budget);
        choice.pageSizeBytes().ifPresent(builder::pageSize);
        choice.trace().ifPresent(builder::trace);
        choice.copy().map(CopyMode::of).ifPresent(builder::copy);
        return choice.deviceFaults() ? builder.deviceFaults() : builder;
    }

    /// The same device through bare OpenCL, for the program that copies by itself.
    ///
    /// @throws UsageException if there are devices, but not the one that was asked for
    public static BareOpenCl bare(DeviceChoice choice) throws UsageException {
        ClApi api = OpenClDevices.api(binding(choice.binding()));
        return BareOpenCl.open(api, selected(api, choice), false);
    }

    /// The same for measuring: its queue keeps times.
    ///
    /// @throws UsageException if there are devices, but not the one that was asked for
    public static BareOpenCl profiled(DeviceChoice choice) throws UsageException {
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

    public static ClBinding binding(Binding binding) {
        return switch (binding) {
            case LWJGL -> ClBinding.LWJGL;
            case JOCL -> ClBinding.JOCL;
        };
    }

    /// The device as results name it; one that is a CPU says so.
    public static String label(DeviceInfo info) {
        return info.kind() == DeviceInfo.Kind.CPU ? info.name() + " (CPU device)" : info.name();
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
            throw new UsageException("--device: " + e.getMessage() + "; emulated:PROFILE plays one (demos/docs/gpu.md)");
        }
    }
}
