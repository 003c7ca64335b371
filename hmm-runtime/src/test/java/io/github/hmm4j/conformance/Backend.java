package io.github.hmm4j.conformance;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.sim.SimDevice;
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
    SIGSEGV_JOCL(ClBinding.JOCL, HostAccess.Mode.SIGSEGV);

    private final ClBinding binding;
    private final HostAccess.Mode mode;

    Backend(ClBinding binding, HostAccess.Mode mode) {
        this.binding = binding;
        this.mode = mode;
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
        HmmBuilder builder = Hmm.builder().hostAccess(mode).faultAround(0);
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
