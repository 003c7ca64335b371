package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.error.HostMemoryExhaustedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostPin;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// A program that wants pages from the device while there is no host memory for them, in every way there is. Arguments:
/// `MODE LIBRARY`. Last line: `done errors=n`.
final class ScarceMemoryWorker {

    static final int NO_SUCH_RUNG = 77;
    private static final int PAGE = 4096;
    private static final int INTS = 64 * PAGE / Integer.BYTES;

    private static int sink;

    private ScarceMemoryWorker() {}

    public static void main(String[] args) throws Throwable {
        SymbolLookup library = SymbolLookup.libraryLookup(Path.of(args[1]), Arena.global());
        MemorySegment shim = library.findOrThrow("shim_refuse");
        MethodHandle refuse = Linker.nativeLinker().downcallHandle(shim, FunctionDescriptor.ofVoid(JAVA_INT));
        int errors = 0;
        try (Hmm hmm = open(args[0])) {
            MemorySegment a = hmm.heap().allocate((long) INTS * Integer.BYTES, PAGE);
            Kernel add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
            add.args(a, 7, INTS).launch(NDRange.of(INTS)).await(); // the first to touch it

            refuse.invokeExact(1);
            errors += isInternalError(() -> get(a)) ? 1 : 0;
            errors += isInternalError(() -> set(a)) ? 1 : 0;
            errors += isExhausted(a, () -> {
                try (HostView _ = hmm.heap().view(a, Access.READ)) {
                    throw new AssertionError("a view");
                }
            }) ? 1 : 0;
            errors += isExhausted(a, () -> {
                try (HostView _ = hmm.heap().view(a, Access.WRITE)) {
                    throw new AssertionError("a view");
                }
            }) ? 1 : 0;
            errors += isExhausted(a, () -> {
                try (HostPin _ = hmm.heap().pin(a, Access.READ)) {
                    throw new AssertionError("a pin");
                }
            }) ? 1 : 0;
            errors += isExhausted(a, () -> hmm.evictAll(hmm.device())) ? 1 : 0;
            require(hmm.heap().residency(a).onDevice(hmm.device()) == a.byteSize(), "all is where it was");

            refuse.invokeExact(0);
            for (int i = 0; i < INTS; i++) {
                require(a.getAtIndex(JAVA_INT, i) == 7, "int " + i + " is " + a.getAtIndex(JAVA_INT, i));
            }
            add.args(a, 1, INTS).launch(NDRange.of(INTS)).await();
            require(a.getAtIndex(JAVA_INT, INTS - 1) == 8, "the heap goes on");
        }
        System.out.printf("done errors=%d%n", errors);
    }

    private static Hmm open(String mode) {
        try {
            return Hmm.builder().heap(ByteSize.mib(16)).pageSize(PAGE).hostAccess(HostAccess.Mode.valueOf(mode)).open();
        } catch (HostAccessUnavailableException e) {
            System.out.println(e.getMessage());
            System.exit(NO_SUCH_RUNG);
            throw e;
        }
    }

    private static void get(MemorySegment a) {
        sink = a.get(JAVA_INT, 0);
    }

    private static void set(MemorySegment a) {
        a.set(JAVA_INT, 4 * PAGE, sink);
    }

    private static boolean isInternalError(Runnable touch) {
        try {
            touch.run();
            return false;
        } catch (InternalError e) {
            return true;
        }
    }

    private static boolean isExhausted(MemorySegment a, Runnable call) {
        try {
            call.run();
            return false;
        } catch (HostMemoryExhaustedException e) {
            long end = e.addressBytes() + e.neededBytes();
            require(e.addressBytes() >= a.address() && end <= a.address() + a.byteSize(), e.getMessage());
            return true;
        }
    }

    private static void require(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }
}
