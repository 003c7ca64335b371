package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.svm.Strategy;
import java.lang.foreign.MemorySegment;

/// The four kinds of shared virtual memory: one pointer for both sides. Coarse-grained memory is mapped and unmapped around what the host does, the others are just used.
class SharedVirtualMemory extends ClStrategy {
    private static final long CL_MEM_READ_WRITE = 1;
    private static final long CL_MEM_SVM_FINE_GRAIN_BUFFER = 1 << 10;
    private static final long CL_MEM_SVM_ATOMICS = 1 << 11;

    SharedVirtualMemory(Strategy strategy, BareOpenCl device) {
        super(strategy, device);
    }

    @Override
    public Block allocate(long lengthBytes) {
        return switch (strategy()) {
            case SVM_SYSTEM -> new OfSystem(OrdinaryMemory.of(lengthBytes));
            case SVM_COARSE -> new OfDriver(CL_MEM_READ_WRITE, lengthBytes);
            case SVM_FINE -> new OfDriver(CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, lengthBytes);
            case SVM_ATOMICS -> new OfDriver(CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER | CL_MEM_SVM_ATOMICS, lengthBytes);
            default -> throw new IllegalStateException("strategy=" + strategy());
        };
    }

    @Override
    long setPointer(long kernel, int index, Block block, long offsetBytes) {
        api().setSvmPointer(kernel, index, ((Shared) block).all().address() + offsetBytes);
        return 0;
    }

    private interface Shared extends Block {
        MemorySegment all();

        @Override
        default long lengthBytes() {
            return all().byteSize();
        }
    }

    private record Plain(MemorySegment segment) implements HostUse {
        @Override
        public void close() {
            // the device sees what the host has stored when the next kernel starts
        }
    }

    private record OfSystem(OrdinaryMemory memory) implements Shared {
        @Override
        public MemorySegment all() {
            return memory.segment();
        }

        @Override
        public HostUse host(long offsetBytes, long lengthBytes, Access access) {
            return new Plain(all().asSlice(offsetBytes, lengthBytes));
        }

        @Override
        public void close() {
            memory.close();
        }
    }

    private final class OfDriver implements Shared {
        private final MemorySegment all;

        OfDriver(long flags, long lengthBytes) {
            all = MemorySegment.ofAddress(api().svmAllocate(device().context(), flags, lengthBytes, 0)).reinterpret(lengthBytes);
        }

        @Override
        public MemorySegment all() {
            return all;
        }

        @Override
        public HostUse host(long offsetBytes, long lengthBytes, Access access) {
            MemorySegment range = all.asSlice(offsetBytes, lengthBytes);
            return strategy() == Strategy.SVM_COARSE ? new Mapped(range, access) : new Plain(range);
        }

        @Override
        public void close() {
            api().finish(device().queue());
            api().svmFree(device().context(), all.address());
        }
    }

    private final class Mapped implements HostUse {
        private final MemorySegment range;

        Mapped(MemorySegment range, Access access) {
            this.range = range;
            api().svmMap(device().queue(), MapFlags.of(access), range.address(), range.byteSize());
        }

        @Override
        public MemorySegment segment() {
            return range;
        }

        @Override
        public void close() {
            api().enqueueSvmUnmap(device().queue(), range.address());
        }
    }
}
