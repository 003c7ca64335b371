package io.github.hmm4j.conformance;

import io.github.hmm4j.ByteSize;

/// Sizes that decide which way the runtime goes.
enum Shape {
    /// Small pages; the heap is larger than the device, so that ranges get windows.
    WINDOWS(4 << 10, ByteSize.mib(32), ByteSize.mib(6)),
    /// Pages of the default size; the whole heap has a place on the device.
    APERTURE(64 << 10, ByteSize.mib(64), ByteSize.mib(64));

    final int pageBytes;
    final long heapBytes;
    final long budgetBytes;

    Shape(int pageBytes, long heapBytes, long budgetBytes) {
        this.pageBytes = pageBytes;
        this.heapBytes = heapBytes;
        this.budgetBytes = budgetBytes;
    }
}
