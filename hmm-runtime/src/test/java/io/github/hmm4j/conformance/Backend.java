package io.github.hmm4j.conformance;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.sim.SimDevice;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostAccess;

/// What the suites run on: devices, and the way in which the host reaches managed memory.
enum Backend {
    SIM_PRIVATE(ClBinding.LWJGL, HostAccess.Mode.CHECKED),
    SIM_COHERENT(ClBinding.LWJGL, HostAccess.Mode.CHECKED),
    /// The first OpenCL device of the machine, or all of them.
    OPENCL_LWJGL(ClBinding.LWJGL, HostAccess.Mode.CHECKED),
    OPENCL_JOCL(ClBinding.JOCL, HostAccess.Mode.CHECKED),
    UFFD_LWJGL(ClBinding.LWJGL, HostAccess.Mode.UFFD),
    UFFD_JOCL(ClBinding.JOCL, HostAccess.Mode.UFFD),
    SIGSEGV_LWJGL(ClBinding.LWJGL, HostAccess.Mode.SIGSEGV),
    SIGSEGV_JOCL(ClBinding.JOCL, HostAccess.Mode.SIGSEGV),
    IN_THREAD_LWJGL(ClBinding.LWJGL, HostAccess.Mode.UFFD_IN_THREAD),
    /// Kernels that use host pages where they are.
    IN_PLACE_OPENCL_JOCL(ClBinding.JOCL, HostAccess.Mode.CHECKED, PlacementMode.IN_PLACE),
    IN_PLACE_UFFD_LWJGL(ClBinding.LWJGL, HostAccess.Mode.UFFD, PlacementMode.IN_PLACE),
    IN_PLACE_SIGSEGV_LWJGL(ClBinding.LWJGL, HostAccess.Mode.SIGSEGV, PlacementMode.IN_PLACE);

    private final ClBinding binding;
    private final HostAccess.Mode mode;
    private final PlacementMode placement;

    Backend(ClBinding binding, HostAccess.Mode mode) {
        this(binding, mode, PlacementMode.PRIVATE);
    }

    Backend(ClBinding binding, HostAccess.Mode mode, PlacementMode placement) {
        this.binding = binding;
        this.mode = mode;
        this.placement = placement;
    }

    /// Whether a touch waits for no kernel, and no page goes to a device for one.
    boolean isInPlace() {
        return placement == PlacementMode.IN_PLACE;
    }

    boolean isSimulated() {
        return this == SIM_PRIVATE || this == SIM_COHERENT;
    }

    boolean isCoherent() {
        return this == SIM_COHERENT;
    }

    boolean isTransparent() {
        return mode.isTransparent();
    }

    /// A builder with one device or several. A touch brings its own page only, so that it is known where every page is; whoever wants more asks for it.
    HmmBuilder builder(int devices) {
        HmmBuilder builder = Hmm.builder().hostAccess(mode).faultAround(0).placement(placement);
        if (isSimulated()) {
            for (int i = 0; i < devices; i++) {
                builder.device(simulated("sim" + i));
            }
            return builder;
        }
        builder.binding(binding);
        return devices > 1 ? builder.allDevices() : builder;
    }

    private Device simulated(String name) {
        return SimDevice.builder().name(name).coherent(isCoherent()).kernels(AccessKernels.all()).open();
    }
}
