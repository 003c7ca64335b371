package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/// Makes the C library give large memory back to the system when it is freed. By itself it keeps some for the next
/// who asks, and a program that runs once never is that one.
final class FreshMemory {
    private static final int M_MMAP_THRESHOLD = -3;
    private static final int LARGE_BYTES = 1 << 20;
    private static final MethodHandle MALLOPT = Linker.nativeLinker().downcallHandle(
        Linker.nativeLinker().defaultLookup().findOrThrow("mallopt"),
        FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));

    private FreshMemory() {}

    /// From here on, for the whole process.
    static void always() {
        try {
            int done = (int) MALLOPT.invokeExact(M_MMAP_THRESHOLD, LARGE_BYTES);
            if (done != 1) {
                throw new IllegalStateException("mallopt failed: M_MMAP_THRESHOLD=" + LARGE_BYTES);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e); // a downcall throws nothing
        }
    }
}
