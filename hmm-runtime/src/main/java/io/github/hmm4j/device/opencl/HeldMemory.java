package io.github.hmm4j.device.opencl;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// What this process holds of the memory of one piece of hardware, in whatever contexts: heaps on one device share it.
///
/// Threads: any.
final class HeldMemory {

    private static final Map<String, HeldMemory> OF_HARDWARE = new ConcurrentHashMap<>(); // as many as there are devices

    private final AtomicLong bytes = new AtomicLong();

    private HeldMemory() {}

    /// That of the hardware behind a device, whichever driver shows it.
    static HeldMemory of(ClDeviceId id) {
        ClHardware hardware = id.hardware();
        String name = !hardware.uuid().isEmpty() ? hardware.uuid()
                : !hardware.pciAddress().isEmpty() ? hardware.pciAddress() : Long.toHexString(id.platform()) + "/" + Long.toHexString(id.device());
        return OF_HARDWARE.computeIfAbsent(name, _ -> new HeldMemory());
    }

    void add(long more) {
        bytes.addAndGet(more);
    }

    long bytes() {
        return bytes.get();
    }
}
