package io.github.hmm4j.conformance;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.sim.SimDevice;

/// What the suites run on.
enum Backend {
    SIM_PRIVATE,
    SIM_COHERENT,
    /// The first OpenCL device of the machine, or all of them.
    OPENCL_LWJGL,
    OPENCL_JOCL;

    boolean isSimulated() {
        return this == SIM_PRIVATE || this == SIM_COHERENT;
    }

    boolean isCoherent() {
        return this == SIM_COHERENT;
    }

    /// A builder with one device or several.
    HmmBuilder builder(int devices) {
        HmmBuilder builder = Hmm.builder();
        switch (this) {
            case SIM_PRIVATE, SIM_COHERENT -> {
                for (int i = 0; i < devices; i++) {
                    builder.device(simulated("sim" + i));
                }
            }
            case OPENCL_LWJGL, OPENCL_JOCL -> {
                builder.binding(this == OPENCL_JOCL ? ClBinding.JOCL : ClBinding.LWJGL);
                if (devices > 1) {
                    builder.allDevices();
                }
            }
        }
        return builder;
    }

    private Device simulated(String name) {
        return SimDevice.builder().name(name).coherent(isCoherent()).kernels(AccessKernels.all()).open();
    }
}
