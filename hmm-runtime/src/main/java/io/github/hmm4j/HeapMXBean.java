package io.github.hmm4j;

import java.util.Map;

/// What a monitor sees of an open heap ([HmmBuilder#metrics]), under `io.github.hmm4j:type=Heap,name=heap-1` and so on.
/// Sums count from when the heap was opened. Threads: any.
///
/// Bytes by place count whole pages of all allocations, each once; to ask for them looks at a word for each page (about
/// a millisecond for a million pages). The numbers of one moment need not fit each other while pages move.
public interface HeapMXBean {

    /// Address space of the heap.
    long getCapacityBytes();

    /// Bytes in allocations.
    long getAllocatedBytes();

    /// Bytes of allocations that nobody has written: they are nowhere.
    long getEmptyBytes();

    /// Bytes that are valid on the host only.
    long getHostBytes();

    /// Bytes that are valid in several places: on the host and a device, or on several devices.
    long getSharedBytes();

    /// Bytes of which a device has the only copy, by device (`0 NVIDIA ...`).
    Map<String, Long> getDeviceBytes();

    /// Bytes whose contents are lost.
    long getPoisonedBytes();

    /// Device memory that pages take, by device; with copies of what the host has, too, and windows that wait for their
    /// pages.
    Map<String, Long> getDeviceMemoryBytes();

    /// Touches of the host that found their page elsewhere, or not mapped, and were served.
    long getHostFaults();

    /// Touches of the host that became errors.
    long getHostFaultErrors();

    /// Pages that kernels asked for in the middle of their work.
    long getDeviceFaults();

    /// Bytes copied to devices.
    long getBytesToDevice();

    /// Bytes copied to the host.
    long getBytesToHost();

    /// Pages that gave up their place on a device for others.
    long getEvictions();

    /// Kernels launched.
    long getLaunches();

    /// Touches, and launches behind views, that waited for 100 ms or longer.
    long getLongWaits();
}
