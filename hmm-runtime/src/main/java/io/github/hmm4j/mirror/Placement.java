package io.github.hmm4j.mirror;

/// How the pages of a heap get frames on a device, where no region is advised otherwise.
public enum Placement {
    /// None: the device uses host pages where they are. Regions may be otherwise, if they were so advised.
    IN_PLACE,
    /// Frame = page, all of the heap fits: kernels can follow pointers.
    APERTURE,
    /// Contiguous frames for each argument of a kernel, wherever those are; or, for kernels that go through the [DeviceTable], anywhere in one chunk.
    WINDOWS,
    /// Frame = page in a range of addresses of the device's own, which is as large as the heap: a page gets memory there when a kernel touches it, and gives it up for another one.
    FAULTING
}
