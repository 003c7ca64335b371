package io.github.hmm4j.device.opencl;

/// The host range cut into windows of one size, each wrapped as a buffer when first used. Not thread-safe.
///
/// Wrapping touches nothing on a CPU device. A driver that pins what it wraps pins a window, never the range: that is
/// what bounds the size of a window.
final class HostWindows {

    static final long WINDOW_BYTES = 64L << 20;
    /// Addresses and sizes of wrapped memory are multiples of this, which every driver takes without a copy of its own.
    static final long ALIGNMENT_BYTES = 4096;

    private final ClApi api;
    private final long context;
    private final long addressBytes;
    private final long lengthBytes;
    private final long windowBytes;
    private final long[] buffers; // an array, so that noting one takes nothing from the Java heap; 0 where there is none

    HostWindows(ClApi api, long context, long addressBytes, long lengthBytes, long maxAllocationBytes) {
        this.api = api;
        this.context = context;
        this.addressBytes = addressBytes;
        this.lengthBytes = lengthBytes;
        this.windowBytes = Math.min(WINDOW_BYTES, maxAllocationBytes / ALIGNMENT_BYTES * ALIGNMENT_BYTES);
        this.buffers = new long[Math.toIntExact(Math.ceilDiv(lengthBytes, windowBytes))];
    }

    /// The buffer that holds the host byte at `offset` of the range.
    long bufferAt(long offset) {
        int index = Math.toIntExact(offset / windowBytes);
        if (buffers[index] == 0) {
            long start = index * windowBytes;
            buffers[index] = api.createBuffer(context, Cl.MEM_READ_WRITE | Cl.MEM_USE_HOST_PTR, Math.min(windowBytes, lengthBytes - start), addressBytes + start);
        }
        return buffers[index];
    }

    /// Where `offset` lies in its buffer.
    long within(long offset) {
        return offset % windowBytes;
    }

    /// Bytes from `offset` to the end of its window.
    long bytesLeft(long offset) {
        return windowBytes - within(offset);
    }

    /// In how many of them a range lies that is not empty.
    int across(long offset, long bytes) {
        return Math.toIntExact((offset + bytes - 1) / windowBytes - offset / windowBytes + 1);
    }

    void release(Cleanup cleanup) {
        for (int i = 0; i < buffers.length; i++) {
            long buffer = buffers[i];
            if (buffer != 0) {
                Runnable release = () -> api.releaseMemory(buffer);
                buffers[i] = 0;
                cleanup.run(release);
            }
        }
    }
}
