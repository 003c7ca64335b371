package io.github.hmm4j.device;

import io.github.hmm4j.space.HostMemory;

/// Host pages as memory that kernels of one device are given in place, with the windows onto it that were given last.
///
/// Threads: any. Owned by whoever makes it, and to be closed before the device and before the pages go.
public final class HostImage implements AutoCloseable {

    private static final int IDLE_SLICES = 256;

    private final FrameChunk all; // one frame
    private final boolean byAddress;
    private final SliceCache slices = new SliceCache(IDLE_SLICES);

    /// @throws IllegalStateException as [Device#hostMemory]
    public HostImage(Device device, HostMemory host) {
        byAddress = device.inPlace(host).byAddress();
        all = new FrameChunk(device.hostMemory(host), 0, 1, false);
    }

    /// Whether parts begin anywhere ([InPlace]).
    public boolean isByAddress() {
        return byAddress;
    }

    /// A part that a kernel can take. Owned by this: not to be closed, and good until it is [given back][#release].
    ///
    /// @param offsetBytes a multiple of [DeviceInfo#baseAlignmentBytes()], unless parts are given by address
    public synchronized DeviceMemory slice(long offsetBytes, long lengthBytes) {
        return slices.hold(all, offsetBytes, lengthBytes);
    }

    /// Once for each slice; what is none of them is passed over.
    public synchronized void release(DeviceMemory slice) {
        slices.release(slice);
    }

    @Override
    public synchronized void close() {
        try (DeviceMemory memory = all.memory) {
            RuntimeException unclosed = slices.drop(all, 0, memory.lengthBytes());
            if (unclosed != null) {
                throw unclosed;
            }
        }
    }
}
