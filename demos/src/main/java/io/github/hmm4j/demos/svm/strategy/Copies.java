package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.device.opencl.ClApi;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Two memories and copies between them, of exactly what the program knows to have changed.
///
/// Writes are enqueued when the host is done with a range and waited for by the next use; reads are waited for at once. Where the device may hold only a part of the data, all blocks
/// share one buffer, and a launch copies its block in before and out after: a program by hand, without a cache of its own.
class Copies extends ClStrategy {
    private static final long CL_MEM_READ_WRITE = 1;

    private final boolean oneBufferForAll;
    private long sharedBuffer;
    private long sharedBufferBytes;

    Copies(Strategy strategy, BareOpenCl device, boolean oneBufferForAll) {
        super(strategy, device);
        this.oneBufferForAll = oneBufferForAll;
    }

    /// Copies a range to the device; the host memory stays as it is until the queue has finished.
    void write(long buffer, long offsetBytes, MemorySegment host) {
        api().enqueueWrite(device().queue(), buffer, offsetBytes, host.byteSize(), host.address(), false);
        api().flush(device().queue());
    }

    /// Copies a range to the host, and waits.
    void read(long buffer, long offsetBytes, MemorySegment host) {
        api().enqueueRead(device().queue(), buffer, offsetBytes, host.byteSize(), host.address(), false);
        api().finish(device().queue());
    }

    private void countedWrite(long buffer, long offsetBytes, MemorySegment host) {
        write(buffer, offsetBytes, host);
        copiedToDevice(host.byteSize());
    }

    private void countedRead(long buffer, long offsetBytes, MemorySegment host) {
        read(buffer, offsetBytes, host);
        copiedToHost(host.byteSize());
    }

    @Override
    public final Block allocate(long lengthBytes) {
        return new Pair(lengthBytes);
    }

    @Override
    final long setPointer(long kernel, int index, Block block, long offsetBytes) {
        api().setMemory(kernel, index, ((Pair) block).buffer);
        return offsetBytes / Long.BYTES;
    }

    @Override
    final void beforeLaunch(Block block, Intent intent) {
        Pair pair = (Pair) block;
        if (oneBufferForAll && intent != Intent.OUT) {
            countedWrite(pair.buffer, 0, pair.host());
        }
    }

    @Override
    final void afterLaunch(Block block, Intent intent) {
        Pair pair = (Pair) block;
        if (intent != Intent.IN) {
            if (oneBufferForAll) {
                countedRead(pair.buffer, 0, pair.host());
            } else {
                pair.deviceIsNewer = true;
            }
        }
    }

    private long sharedBuffer(long lengthBytes) {
        if (lengthBytes > sharedBufferBytes) {
            releaseSharedBuffer();
            sharedBuffer = newBuffer(lengthBytes);
            sharedBufferBytes = lengthBytes;
        }
        return sharedBuffer;
    }

    private void releaseSharedBuffer() {
        if (sharedBufferBytes > 0) {
            api().releaseMemory(sharedBuffer);
            sharedBufferBytes = 0;
        }
    }

    private long newBuffer(long lengthBytes) {
        return api().createBuffer(device().context(), CL_MEM_READ_WRITE, lengthBytes, 0);
    }

    @Override
    public void close() {
        api().finish(device().queue());
        releaseSharedBuffer();
        super.close();
    }

    /// Host memory, which is there when the host first needs it, and a buffer.
    private final class Pair implements Block {
        private final long lengthBytes;
        private final long buffer;
        private @Nullable OrdinaryMemory host;
        private boolean deviceIsNewer;

        Pair(long lengthBytes) {
            this.lengthBytes = lengthBytes;
            buffer = oneBufferForAll ? sharedBuffer(lengthBytes) : newBuffer(lengthBytes);
        }

        @Override
        public long lengthBytes() {
            return lengthBytes;
        }

        private MemorySegment host() {
            if (host == null) {
                host = OrdinaryMemory.of(lengthBytes);
            }
            return host.segment();
        }

        @Override
        public HostUse host(long offsetBytes, long lengthBytes, Access access) {
            api().finish(device().queue()); // a write of this range may still be under way
            MemorySegment range = host().asSlice(offsetBytes, lengthBytes);
            if (deviceIsNewer && access != Access.OVERWRITE) {
                countedRead(buffer, offsetBytes, range);
            }
            return new HostUse() {
                @Override
                public MemorySegment segment() {
                    return range;
                }

                @Override
                public void close() {
                    if (access != Access.READ && !oneBufferForAll) {
                        countedWrite(buffer, offsetBytes, range);
                    }
                }
            };
        }

        @Override
        public void close() {
            ClApi api = api();
            api.finish(device().queue());
            if (!oneBufferForAll) {
                api.releaseMemory(buffer);
            }
            if (host != null) {
                host.close();
            }
        }
    }
}
