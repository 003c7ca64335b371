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

/// The calls that return memory, move it or give it back, without JOCL.
///
/// JOCL makes a `ByteBuffer` of what the first return. That cannot be 2 GiB long, so JOCL throws there, and the address, and
/// with it the memory, is lost. For each of the others that does not wait JOCL lets a thread of its own wait, which keeps
/// a Java object alive that we do not have: a thread more for each command, and one that Oclgrind, which runs commands in
/// the threads that wait for them, does not survive. The library is the one that JOCL has loaded.
final class RawCalls {

    private static final FunctionDescriptor ENQUEUE_MAP_BUFFER = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG,
            JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor SVM_ALLOC =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT);

    private static final FunctionDescriptor ENQUEUE_TRANSFER = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG,
            JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor ENQUEUE_UNMAP =
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);

    private final MethodHandle enqueueMapBuffer;
    private final MethodHandle enqueueReadBuffer;
    private final MethodHandle enqueueWriteBuffer;
    private final MethodHandle enqueueUnmapMemObject;
    private final @Nullable MethodHandle svmAlloc;

    private RawCalls(String library, MethodHandle enqueueMapBuffer) {
        this.enqueueMapBuffer = enqueueMapBuffer;
        enqueueReadBuffer = required(library, "clEnqueueReadBuffer", ENQUEUE_TRANSFER);
        enqueueWriteBuffer = required(library, "clEnqueueWriteBuffer", ENQUEUE_TRANSFER);
        enqueueUnmapMemObject = required(library, "clEnqueueUnmapMemObject", ENQUEUE_UNMAP);
        svmAlloc = NativeCode.libraryDowncall(library, "clSVMAlloc", SVM_ALLOC).orElse(null);
    }

    private static MethodHandle required(String library, String call, FunctionDescriptor signature) {
        return NativeCode.libraryDowncall(library, call, signature).orElseThrow(() -> new UnsatisfiedLinkError(library + " has no " + call));
    }

    /// Looks where JOCL looks, in the same order.
    ///
    /// @throws UnsatisfiedLinkError if there is no library
    static RawCalls load() {
        for (String library : List.of("libOpenCL.so.1", "libOpenCL.so")) {
            Optional<MethodHandle> map =
                    NativeCode.libraryDowncall(library, "clEnqueueMapBuffer", ENQUEUE_MAP_BUFFER);
            if (map.isPresent()) {
                return new RawCalls(library, map.get());
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
            if (status.get(JAVA_INT, 0) != ClStatus.SUCCESS) { // what it would say takes memory, and what is mapped must be told of
                throw ClStatus.failure(status.get(JAVA_INT, 0), "clEnqueueMapBuffer", "offset=" + offsetBytes + ", bytes=" + lengthBytes);
            }
            if (event != null) {
                event[0] = out.get(JAVA_LONG, 0);
            }
            return address;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /// @param event whether its event is wanted
    /// @return the event, or 0
    long read(long queue, long buffer, long offsetBytes, long lengthBytes, long hostAddressBytes, boolean event) {
        return transfer("clEnqueueReadBuffer", enqueueReadBuffer, queue, buffer, offsetBytes, lengthBytes, hostAddressBytes, event);
    }

    /// As [#read].
    long write(long queue, long buffer, long offsetBytes, long lengthBytes, long hostAddressBytes, boolean event) {
        return transfer("clEnqueueWriteBuffer", enqueueWriteBuffer, queue, buffer, offsetBytes, lengthBytes, hostAddressBytes, event);
    }

    /// As [#read].
    long unmap(long queue, long buffer, long addressBytes, boolean event) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status = (int) enqueueUnmapMemObject.invokeExact(queue, buffer, addressBytes, 0, 0L, event ? out.address() : 0L);
            if (status != ClStatus.SUCCESS) {
                throw ClStatus.failure(status, "clEnqueueUnmapMemObject", "address=" + Long.toHexString(addressBytes));
            }
            return out.get(JAVA_LONG, 0);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static long transfer(String call, MethodHandle enqueue, long queue, long buffer, long offsetBytes, long lengthBytes, long hostAddressBytes, boolean event) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status = (int) enqueue.invokeExact(queue, buffer, 0, offsetBytes, lengthBytes, hostAddressBytes, 0, 0L, event ? out.address() : 0L);
            if (status != ClStatus.SUCCESS) {
                throw ClStatus.failure(status, call, "bytes=" + lengthBytes);
            }
            return out.get(JAVA_LONG, 0);
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
