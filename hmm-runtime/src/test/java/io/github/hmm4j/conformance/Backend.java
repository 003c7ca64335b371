package io.github.hmm4j.conformance;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.FirstDevice;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.device.opencl.InPlaceMode;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostAccess;

/// What the suites run on: devices, and the way in which the host reaches managed memory.
enum Backend {
    /// The first OpenCL device of the machine, or all of them.
    OPENCL_LWJGL(ClBinding.LWJGL, HostAccess.Mode.CHECKED),
    OPENCL_JOCL(ClBinding.JOCL, HostAccess.Mode.CHECKED),
    UFFD_LWJGL(ClBinding.LWJGL, HostAccess.Mode.UFFD),
    UFFD_JOCL(ClBinding.JOCL, HostAccess.Mode.UFFD),
    SIGSEGV_LWJGL(ClBinding.LWJGL, HostAccess.Mode.SIGSEGV),
    SIGSEGV_JOCL(ClBinding.JOCL, HostAccess.Mode.SIGSEGV),
    IN_THREAD_LWJGL(ClBinding.LWJGL, HostAccess.Mode.UFFD_IN_THREAD),
    /// Kernels that fault: where they run in host memory.
    FAULTING_UFFD_LWJGL(ClBinding.LWJGL, HostAccess.Mode.UFFD, true),
    FAULTING_SIGSEGV_LWJGL(ClBinding.LWJGL, HostAccess.Mode.SIGSEGV, true),
    FAULTING_SIGSEGV_JOCL(ClBinding.JOCL, HostAccess.Mode.SIGSEGV, true),
    /// Kernels that use host pages where they are.
    IN_PLACE_OPENCL_JOCL(ClBinding.JOCL, HostAccess.Mode.CHECKED, PlacementMode.IN_PLACE),
    IN_PLACE_UFFD_LWJGL(ClBinding.LWJGL, HostAccess.Mode.UFFD, PlacementMode.IN_PLACE),
    IN_PLACE_SIGSEGV_LWJGL(ClBinding.LWJGL, HostAccess.Mode.SIGSEGV, PlacementMode.IN_PLACE),
    /// Those that are given them by address: POCL's devices take any, although they do not say so.
    IN_PLACE_ADDRESS_UFFD_LWJGL(ClBinding.LWJGL, HostAccess.Mode.UFFD, InPlaceMode.ADDRESS),
    IN_PLACE_ADDRESS_CHECKED_JOCL(ClBinding.JOCL, HostAccess.Mode.CHECKED, InPlaceMode.ADDRESS),
    /// Those that use memory of their driver's only: one device of a heap can.
    IN_PLACE_BUFFER_LWJGL(ClBinding.LWJGL, HostAccess.Mode.CHECKED, InPlaceMode.BUFFER),
    IN_PLACE_BUFFER_JOCL(ClBinding.JOCL, HostAccess.Mode.CHECKED, InPlaceMode.BUFFER),
    /// Emulated GPUs with memory of their own, one with each of the engines that such devices have: for tests with the tag `emulated-gpu`.
    EMULATED_CHECKED(ClBinding.LWJGL, HostAccess.Mode.CHECKED, CopyMode.STAGED),
    EMULATED_UFFD(ClBinding.JOCL, HostAccess.Mode.UFFD, CopyMode.COPY),
    /// Those that work in host memory: for tests with the tag `emulated-igpu`.
    EMULATED_IN_PLACE_CHECKED(ClBinding.JOCL, HostAccess.Mode.CHECKED, PlacementMode.IN_PLACE, CopyMode.AUTO, true),
    EMULATED_IN_PLACE_UFFD(ClBinding.LWJGL, HostAccess.Mode.UFFD, PlacementMode.IN_PLACE, CopyMode.AUTO, true);

    private final ClBinding binding;
    private final HostAccess.Mode mode;
    private final PlacementMode placement;
    private final CopyMode copies;
    private final InPlaceMode inPlace;
    private final boolean hasReins;
    private final boolean faults;

    Backend(ClBinding binding, HostAccess.Mode mode) {
        this(binding, mode, PlacementMode.PRIVATE);
    }

    Backend(ClBinding binding, HostAccess.Mode mode, boolean faults) {
        this(binding, mode, PlacementMode.PRIVATE, CopyMode.AUTO, InPlaceMode.AUTO, false, faults);
    }

    Backend(ClBinding binding, HostAccess.Mode mode, PlacementMode placement) {
        this(binding, mode, placement, CopyMode.AUTO, InPlaceMode.AUTO, false, false);
    }

    Backend(ClBinding binding, HostAccess.Mode mode, CopyMode copies) {
        this(binding, mode, PlacementMode.PRIVATE, copies, true);
    }

    Backend(ClBinding binding, HostAccess.Mode mode, InPlaceMode inPlace) {
        this(binding, mode, PlacementMode.IN_PLACE, CopyMode.AUTO, inPlace, false, false);
    }

    Backend(ClBinding binding, HostAccess.Mode mode, PlacementMode placement, CopyMode copies, boolean hasReins) {
        this(binding, mode, placement, copies, InPlaceMode.AUTO, hasReins, false);
    }

    Backend(ClBinding binding, HostAccess.Mode mode, PlacementMode placement, CopyMode copies, InPlaceMode inPlace, boolean hasReins, boolean faults) {
        this.binding = binding;
        this.mode = mode;
        this.placement = placement;
        this.copies = copies;
        this.inPlace = inPlace;
        this.hasReins = hasReins;
        this.faults = faults;
    }

    /// Whether a touch waits for no kernel, and no page goes to a device for one.
    boolean isInPlace() {
        return placement == PlacementMode.IN_PLACE;
    }

    /// Whether a test can hold, fail and lose its devices ([EmulatedGpu][io.github.hmm4j.emulated.EmulatedGpu]).
    boolean hasReins() {
        return hasReins;
    }

    /// Whether kernels bring their pages by touching them, which takes a device that works in host memory.
    boolean faults() {
        return faults;
    }

    boolean isTransparent() {
        return mode.isTransparent();
    }

    /// A builder with one device or several. A touch brings its own page only, so that it is known where every page is; whoever wants more asks for it.
    ///
    /// @throws org.opentest4j.TestAbortedException if the device has nothing of what the backend is about
    HmmBuilder builder(int devices) {
        assumeTrue(FirstDevice.offers(inPlace), "kernels of this device are given no host pages in this way");
        HmmBuilder builder = Hmm.builder().hostAccess(mode).faultAround(0).placement(placement).binding(binding).openCl(ClOptions.DEFAULTS.copy(copies).inPlace(inPlace));
        if (faults) {
            builder.deviceFaults();
        }
        return devices > 1 ? builder.allDevices() : builder;
    }
}
