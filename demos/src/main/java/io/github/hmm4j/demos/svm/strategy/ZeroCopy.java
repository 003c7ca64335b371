package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.svm.Strategy;
import java.lang.foreign.MemorySegment;

/// Buffers over the program's own memory. The driver moves what it must when the host maps and unmaps; a device that works in host memory moves nothing.
final class ZeroCopy extends ClStrategy {
    private static final long CL_MEM_READ_WRITE = 1;
    private static final long CL_MEM_USE_HOST_PTR = 1 << 3;

    ZeroCopy(BareOpenCl device) {
        super(Strategy.ZERO_COPY, device);
    }

    @Override
    public Block allocate(long lengthBytes) {
        return new Buffer(OrdinaryMemory.of(lengthBytes));
    }

    @Override
    long setPointer(long kernel, int index, Block block, long offsetBytes) {
        api().setMemory(kernel, index, ((Buffer) block).buffer);
        return offsetBytes / Long.BYTES;
    }

    private final class Buffer implements Block {
        private final OrdinaryMemory memory;
        private final long buffer;

        Buffer(OrdinaryMemory memory) {
            this.memory = memory;
            try {
                buffer = api().createBuffer(device().context(), CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, memory.segment().byteSize(), memory.address());
            } catch (RuntimeException e) {
                memory.close();
                throw e;
            }
        }

        @Override
        public long lengthBytes() {
            return memory.segment().byteSize();
        }

        @Override
        public HostUse host(long offsetBytes, long lengthBytes, Access access) {
            long address = api().map(device().queue(), buffer, MapFlags.of(access), offsetBytes, lengthBytes);
            MemorySegment range = MemorySegment.ofAddress(address).reinterpret(lengthBytes);
            return new HostUse() {
                @Override
                public MemorySegment segment() {
                    return range;
                }

                @Override
                public void close() {
                    api().enqueueUnmap(device().queue(), buffer, address, false);
                }
            };
        }

        @Override
        public void close() {
            api().finish(device().queue());
            api().releaseMemory(buffer);
            api().finish(device().queue()); // the driver lets go of the memory only then
            memory.close();
        }
    }
}
