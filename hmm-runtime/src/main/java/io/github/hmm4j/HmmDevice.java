package io.github.hmm4j;

import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Placement;

/// One of a heap's devices.
public final class HmmDevice {

    private final DeviceMirror mirror;
    private final Lifetime lifetime;

    HmmDevice(DeviceMirror mirror, Lifetime lifetime) {
        this.mirror = mirror;
        this.lifetime = lifetime;
    }

    /// Number of the device in this heap, from 0.
    public int index() {
        return mirror.index();
    }

    public DeviceInfo info() {
        return mirror.device().info();
    }

    /// Bytes of device memory that pages may take, as [HmmBuilder#budget] set it; a heap that is smaller takes less.
    public long budgetBytes() {
        return mirror.budgetBytes();
    }

    /// Bytes of device memory that pages take now.
    ///
    /// @throws IllegalStateException if the heap is closed
    public long usedBytes() {
        try (Lifetime.Hold _ = lifetime.use()) { // where kernels fault, page words are counted
            return mirror.usedBytes();
        }
    }

    /// Bytes of pinned memory through which copies go, beside the budget; on some drivers they are the device's. 0 where
    /// the device works in host memory. Where many short pieces are carried at once, up to 16 MiB of device
    /// memory come to that, in which they are packed there.
    public long stagingBytes() {
        return mirror.device().stagingBytes();
    }

    /// Whether kernels follow heap pointers here without looking them up: the whole heap fits the budget, the device uses host pages in place, or its kernels fault. Elsewhere they go through the device's page
    /// table ([Arg#heap]).
    public boolean hasAperture() {
        return mirror.reachesHeap();
    }

    /// How pages get device memory.
    public Placement placement() {
        return mirror.placement();
    }

    /// Why that is so, in one line for people.
    public String placementWhy() {
        return mirror.placementWhy();
    }

    /// Name of the copy engine in use.
    public String copyEngine() {
        return mirror.copies().name();
    }

    /// The device underneath, for what this library does not do.
    public Device device() {
        return mirror.device();
    }

    /// The mirror in the heap that this device belongs to.
    ///
    /// @throws IllegalArgumentException if that is another heap: page words name devices by their number, and the same number is another device there
    DeviceMirror mirrorIn(ManagedPages heap) {
        if (index() >= heap.mirrors().size() || !heap.mirror(index()).equals(mirror)) {
            throw new IllegalArgumentException("device=" + this + " belongs to another heap");
        }
        return mirror;
    }

    @Override
    public String toString() {
        return mirror.toString();
    }
}
