package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// Native code that is given addresses and knows nothing of who serves them.
final class LibC {

    private static final FunctionDescriptor COPY = FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle MEMCPY = LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("memcpy"), COPY);
    /// The thread stays in Java state, as within a critical section of JNI: no safepoint can be reached until it returns.
    private static final MethodHandle CRITICAL_MEMCPY =
            LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("memcpy"), COPY, Linker.Option.critical(false));

    private static final MethodHandle FSTAT =
            LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("fstat"), FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
    /// `struct stat` of x86-64 and of aarch64: both are smaller, and have `st_blocks` here, in units of 512 bytes.
    private static final int STAT_BYTES = 256;
    private static final int STAT_BLOCKS = 64;

    private LibC() {}

    /// Memory or disk that a file takes, whatever its length.
    static long allocatedBytes(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stat = arena.allocate(STAT_BYTES, Long.BYTES);
            if ((int) FSTAT.invokeExact(descriptor, stat) != 0) {
                throw new AssertionError("fstat failed: descriptor=" + descriptor);
            }
            return 512 * stat.get(JAVA_LONG, STAT_BLOCKS);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void copy(MemorySegment from, MemorySegment to) {
        call(MEMCPY, from, to);
    }

    static void copyCritically(MemorySegment from, MemorySegment to) {
        call(CRITICAL_MEMCPY, from, to);
    }

    private static void call(MethodHandle memcpy, MemorySegment from, MemorySegment to) {
        try {
            MemorySegment _ = (MemorySegment) memcpy.invokeExact(to, from, from.byteSize());
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
