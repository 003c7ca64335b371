package io.github.hmm4j.demos.svm.strategy;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// Memory as a program gets it from the operating system: page-aligned, zeros, and nothing paid before it is touched. An `Arena` would touch it all.
record OrdinaryMemory(MemorySegment segment) implements AutoCloseable {
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle MMAP = LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("mmap"),
        FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MUNMAP = LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("munmap"),
        FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));

    /// @throws OutOfMemoryError if the operating system refuses
    static OrdinaryMemory of(long lengthBytes) {
        long address;
        try {
            address = (long) MMAP.invokeExact(0L, lengthBytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
        } catch (Throwable e) {
            throw new LinkageError("mmap", e);
        }
        if (address == -1) {
            throw new OutOfMemoryError("mmap failed: lengthBytes=" + lengthBytes);
        }
        return new OrdinaryMemory(MemorySegment.ofAddress(address).reinterpret(lengthBytes));
    }

    long address() {
        return segment.address();
    }

    @Override
    public void close() {
        int status;
        try {
            status = (int) MUNMAP.invokeExact(segment.address(), segment.byteSize());
        } catch (Throwable e) {
            throw new LinkageError("munmap", e);
        }
        if (status != 0) {
            throw new IllegalStateException("munmap failed: " + segment);
        }
    }
}
