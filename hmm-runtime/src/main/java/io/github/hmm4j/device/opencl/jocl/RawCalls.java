package io.github.hmm4j.device.opencl.jocl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.space.NativeCode;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The calls that return memory, without JOCL.
///
/// JOCL makes a `ByteBuffer` of what they return. That cannot be 2 GiB long, so JOCL throws there, and the address, and
/// with it the memory, is lost. The library is the one that JOCL has loaded.
final class RawCalls {

    private static final FunctionDescriptor ENQUEUE_MAP_BUFFER = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG,
            JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor SVM_ALLOC =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT);

    private final MethodHandle enqueueMapBuffer;
    private final @Nullable MethodHandle svmAlloc;

    private RawCalls(MethodHandle enqueueMapBuffer, @Nullable MethodHandle svmAlloc) {
        this.enqueueMapBuffer = enqueueMapBuffer;
        this.svmAlloc = svmAlloc;
    }

    /// Looks where JOCL looks, in the same order.
    ///
    /// @throws UnsatisfiedLinkError if there is no library
    static RawCalls load() {
        for (String library : List.of("libOpenCL.so.1", "libOpenCL.so")) {
            Optional<MethodHandle> map =
                    NativeCode.libraryDowncall(library, "clEnqueueMapBuffer", ENQUEUE_MAP_BUFFER);
            if (map.isPresent()) {
                return new RawCalls(
                        map.get(), NativeCode.libraryDowncall(library, "clSVMAlloc", SVM_ALLOC).orElse(null));
            }
        }
        throw new UnsatisfiedLinkError("neither libOpenCL.so.1 nor libOpenCL.so has clEnqueueMapBuffer");
    }

    /// False if the library is older than OpenCL 2.0.
    boolean hasSvm() {
        return svmAlloc != null;
    }

    /// `clSVMAlloc`, which answers with 0 where it fails.
    long svmAllocate(long context, long flags, long lengthBytes, int alignmentBytes) {
        if (svmAlloc == null) {
            throw new IllegalStateException("the OpenCL library has no clSVMAlloc");
        }
        try {
            return (long) svmAlloc.invokeExact(context, flags, lengthBytes, alignmentBytes);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /// @param event takes the event, and the call does not wait; null: it does
    long map(long queue, long buffer, long flags, long offsetBytes, long lengthBytes, long @Nullable [] event) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(JAVA_INT);
            MemorySegment out = arena.allocate(JAVA_LONG);
            long address = (long) enqueueMapBuffer.invokeExact(queue, buffer, event == null ? 1 : 0, flags, offsetBytes, lengthBytes, 0, 0L,
                    event == null ? 0L : out.address(), status.address());
            ClStatus.check(status.get(JAVA_INT, 0), "clEnqueueMapBuffer",
                    "offset=" + offsetBytes + ", bytes=" + lengthBytes);
            if (event != null) {
                event[0] = out.get(JAVA_LONG, 0);
            }
            return address;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /// C throws nothing: what comes is the check's, or a wrong descriptor's.
    private static RuntimeException unexpected(Throwable e) {
        return switch (e) {
            case RuntimeException runtime -> runtime;
            case Error error -> throw error;
            default -> new IllegalStateException(e);
        };
    }
}
