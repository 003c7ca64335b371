package io.github.hmm4j.conformance;

import org.jspecify.annotations.Nullable;

/// Lets allocations or system calls of one thread fail. [FaultyCode] puts a call of [#before] in front of everything that may allocate, and asks [#strikes] before each system call.
///
/// Public, because the code that calls this is of another class loader. Used by one thread; others pass through.
public final class AllocationFaults {

    /// How the heap runs out.
    public enum Mode {
        /// One allocation fails; somebody frees memory before the next.
        ONCE,
        /// That one and all that follow, those of the clean-up included.
        FROM_THEN_ON,
        /// That one and as many of those that follow as a clean-up takes; then somebody frees memory, so whoever waits for that goes on.
        FOR_A_WHILE,
        /// No allocation fails, but a system call that Java code makes.
        SYSTEM_CALL,
        /// One that the native part makes; that is [NativeCallFaults]' work.
        NATIVE_CALL
    }

    private static final int WHILE = 32;

    private static volatile @Nullable Thread victim;
    private static Mode mode = Mode.ONCE;
    private static int left;
    private static int seen;

    private AllocationFaults() {}

    /// From now on the calling thread's allocations, or its system calls, are counted, and number `nth` fails.
    public static void arm(int nth, Mode how) {
        mode = how;
        left = nth;
        seen = 0;
        victim = Thread.currentThread();
    }

    /// Nothing fails any more.
    ///
    /// @return allocations or system calls since [#arm]
    public static int disarm() {
        victim = null;
        return seen;
    }

    /// Before something is allocated.
    public static void before() {
        if (Thread.currentThread() != victim || mode == Mode.SYSTEM_CALL) { // whoever counts those asks elsewhere
            return;
        }
        seen++;
        left--;
        if (left == 0 || (left < 0 && (mode == Mode.FROM_THEN_ON || (mode == Mode.FOR_A_WHILE && left > -WHILE)))) {
            throw new OutOfMemoryError("allocation " + seen + " was made to fail");
        }
    }

    /// Before a system call: whether it is to fail.
    public static boolean strikes() {
        if (Thread.currentThread() != victim || mode != Mode.SYSTEM_CALL) {
            return false;
        }
        seen++;
        left--;
        return left == 0;
    }
}
