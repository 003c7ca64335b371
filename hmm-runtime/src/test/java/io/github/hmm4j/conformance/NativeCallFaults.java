package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// Lets system calls of the native part fail. The library `failing_calls.c` must be preloaded.
final class NativeCallFaults {

    private final MethodHandle arm;
    private final MethodHandle disarm;

    /// @param library that is preloaded
    NativeCallFaults(Path library) {
        SymbolLookup symbols = SymbolLookup.libraryLookup(library, Arena.global());
        arm = Linker.nativeLinker().downcallHandle(symbols.findOrThrow("failing_calls_arm"), FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG));
        disarm = Linker.nativeLinker().downcallHandle(symbols.findOrThrow("failing_calls_disarm"), FunctionDescriptor.of(JAVA_LONG));
    }

    /// From now on the calls on a range are counted, whoever makes them, and number `nth` fails.
    void arm(long addressBytes, long lengthBytes, int nth) {
        try {
            arm.invokeExact(addressBytes, lengthBytes, (long) nth);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// Nothing fails any more.
    ///
    /// @return calls since [#arm]
    int disarm() {
        try {
            return Math.toIntExact((long) disarm.invokeExact());
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
