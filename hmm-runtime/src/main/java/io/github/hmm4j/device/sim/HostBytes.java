package io.github.hmm4j.device.sim;

import java.lang.foreign.MemorySegment;

/// Host memory by address: the one place where the simulator trusts an address it was given.
final class HostBytes {

    private HostBytes() {}

    static MemorySegment at(long addressBytes, long lengthBytes) {
        return MemorySegment.ofAddress(addressBytes).reinterpret(lengthBytes);
    }
}
