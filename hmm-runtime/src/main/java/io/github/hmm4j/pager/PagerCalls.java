package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.device.NativeHandles;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.NativeCode;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// The functions of `hmm_pager.h`, one method for each, with addresses and sizes as `long`.
///
/// Each may wait, so none is a critical call: the thread is in native state meanwhile, and a safepoint passes it by.
final class PagerCalls {

    /// Structures, counted in 64-bit words. The native side says its own sizes ([#mismatch]).
    static final int CONFIG_WORDS = 14 + Cl.values().length;
    static final int DEVICE_WORDS = 23 + NativeHandles.SLOTS;
    static final int LAUNCH_WORDS = 26;
    static final int FAILURE_WORDS = 6;
    static final int USE_WORDS = 4;
    static final int MOVED_WORDS = 4;
    static final int CROSSING_WORDS = 7;
    static final int RECORD_WORDS = 16;
    private static final int NAME_WORDS = 64 / Long.BYTES; // of a kernel
    static final int NOTICE_WORDS = 7 + FAILURE_WORDS + NAME_WORDS;
    static final int FAILED_LAUNCH_WORDS = 4 + NAME_WORDS;
    static final int MOVE_WORDS = 2;
    static final int OVERWRITE_WORDS = 3;
    static final int TABLE_WORDS = 11;
    static final int ARGUMENT_COPY_WORDS = 5;
    static final int VIOLATION_WORDS = 5;
    static final int GATHER_WORDS = 4 + NativeHandles.BULK_SLOTS;
    static final int ABI = 23;
    private static final String ANOTHER_BUILD = "the native part is of another build than the classes, so take the libhmm.so of their jar: ";

    /// The OpenCL functions that native code calls, in its order.
    enum Cl {
        CREATE_QUEUE("clCreateCommandQueue"),
        RELEASE_QUEUE("clReleaseCommandQueue"),
        ENQUEUE_READ("clEnqueueReadBuffer"),
        ENQUEUE_WRITE("clEnqueueWriteBuffer"),
        ENQUEUE_COPY("clEnqueueCopyBuffer"),
        ENQUEUE_KERNEL("clEnqueueNDRangeKernel"),
        FLUSH("clFlush"),
        FINISH("clFinish"),
        WAIT("clWaitForEvents"),
        EVENT_INFO("clGetEventInfo"),
        RETAIN_EVENT("clRetainEvent"),
        RELEASE_EVENT("clReleaseEvent"),
        SET_CALLBACK("clSetEventCallback"),
        MAP("clEnqueueMapBuffer"),
        UNMAP("clEnqueueUnmapMemObject"),
        SET_ARG("clSetKernelArg");

        private static final String LIBRARY = "libOpenCL.so.1";

        private final String function;

        Cl(String function) {
            this.function = function;
        }

        OptionalLong address() {
            return NativeCode.libraryFunction(LIBRARY, function);
        }
    }

    private static final List<String> MISSING = new ArrayList<>(); // functions that a library of another build has not
    private static final MethodHandle ABI_NUMBERS = handle("hmm_abi", 2);
    private static final MethodHandle PROBE = handle("hmm_probe", 3);
    private static final MethodHandle OPEN = handle("hmm_open", 2);
    private static final MethodHandle ADD_DEVICE = handle("hmm_add_device", 2);
    private static final MethodHandle SET_GATHER = handle("hmm_set_gather", 3);
    private static final MethodHandle CLOSE = handle("hmm_close", 1);
    private static final MethodHandle FETCH = handle("hmm_fetch", 7);
    private static final MethodHandle CROSS = handle("hmm_cross", 4);
    private static final MethodHandle FORBID = handle("hmm_forbid", 4);
    private static final MethodHandle SET_ACCESS = handle("hmm_set_access", 4);
    private static final MethodHandle MAPPINGS = handle("hmm_mappings", 2);
    private static final MethodHandle DISCARD = handle("hmm_discard", 4);
    private static final MethodHandle RELEASE_HOST = longHandle("hmm_release_host", 4);
    private static final MethodHandle RELOCATE = handle("hmm_relocate", 7);
    private static final MethodHandle UNDO = longHandle("hmm_undo", 8);
    private static final MethodHandle LAUNCH = handle("hmm_launch_enter", 3);
    private static final MethodHandle LAUNCH_BEGIN = handle("hmm_launch_begin", 3);
    private static final MethodHandle LAUNCH_GO = handle("hmm_launch_go", 3);
    private static final MethodHandle LAUNCH_WITHDRAW = handle("hmm_launch_withdraw", 2);
    private static final MethodHandle AWAIT = handle("hmm_await", 5);
    private static final MethodHandle AWAIT_ALL = handle("hmm_await_all", 1);
    private static final MethodHandle LAUNCHED = longHandle("hmm_launched", 2);
    private static final MethodHandle USED = longHandle("hmm_used", 4);
    private static final MethodHandle FAILED_LAUNCH = handle("hmm_failed_launch_of", 3);
    private static final MethodHandle NOTE_ENDS = handle("hmm_note_ends", 3);
    private static final MethodHandle MAY_BE_WRITTEN = handle("hmm_may_be_written", 3);
    private static final MethodHandle FAULT_DEVICE = handle("hmm_fault_device", 5);
    private static final MethodHandle LEAST_BUDGET = longHandle("hmm_least_budget", 1);
    private static final MethodHandle TAKE_HOME = handle("hmm_take_home", 4);
    private static final MethodHandle SET_QUOTA = handle("hmm_set_quota", 5);
    private static final MethodHandle SET_ALONG = handle("hmm_set_along", 3);
    private static final MethodHandle THERE = longHandle("hmm_there", 4);
    private static final MethodHandle GO_FIRST = handle("hmm_go_first", 4);
    private static final MethodHandle WAKE_DEVICE = handle("hmm_wake_device", 3);
    private static final MethodHandle VIOLATION_OF = handle("hmm_violation_of", 3);
    private static final MethodHandle TAKE_COUNTS = handle("hmm_take_counts", 3);
    private static final MethodHandle RECORD = handle("hmm_record", 2);
    private static final MethodHandle END_RECORDS = handle("hmm_end_records", 1);
    private static final MethodHandle TAKE_RECORDS = longHandle("hmm_take_records", 4);
    private static final MethodHandle AWAIT_NOTICE = handle("hmm_await_notice", 2);
    private static final MethodHandle END_NOTICES = handle("hmm_end_notices", 1);
    private static final MethodHandle STEP_ARM = handle("hmm_step_arm", 3);
    private static final MethodHandle STEP_AWAIT = handle("hmm_step_await", 3);

    private PagerCalls() {}

    /// Whether native code has other ideas about words and structures than Java: then it is of another build.
    static Optional<String> mismatch() {
        if (!MISSING.isEmpty()) {
            return Optional.of(ANOTHER_BUILD + "it has no " + String.join(", ", MISSING));
        }
        List<Long> ours = Arrays.asList((long) ABI, state(PageState.EMPTY), state(PageState.HOST), state(PageState.SHARED), state(PageState.DEVICE),
                state(PageState.TO_DEVICE), state(PageState.TO_HOST), state(PageState.POISONED), state(PageState.UNMAPPED), state(PageState.PEERS), PageWord.Layout.DEVICE_SHIFT,
                PageWord.Layout.SHARERS_MASK, PageWord.Layout.WRITE_INTENT, PageWord.Layout.DENY_READ, PageWord.Layout.DENY_WRITE, PageWord.Layout.READ_PINS_SHIFT,
                PageWord.Layout.WRITE_PINS_SHIFT, (long) PageWord.MAX_PINS, PageWord.Layout.MARKED_READ, PageWord.Layout.VERSION_SHIFT,
                PageWord.unwrittenWithoutRegion(), PageWord.unwritten(Protection.READ), PageWord.unwritten(Protection.NONE), PageTable.Layout.WRITTEN, PageTable.Layout.IN_WRITING,
                PageTable.Layout.ONE_CHANGE, (long) PageWord.MAX_DEVICES,
                (long) Cl.values().length, (long) NativeCounts.COUNT, (long) NativePager.Step.values().length, bytes(CONFIG_WORDS), bytes(DEVICE_WORDS),
                bytes(LAUNCH_WORDS), bytes(FAILURE_WORDS), bytes(USE_WORDS), bytes(RECORD_WORDS),
                bytes(NOTICE_WORDS), bytes(FAILED_LAUNCH_WORDS), bytes(TABLE_WORDS), bytes(ARGUMENT_COPY_WORDS), bytes(VIOLATION_WORDS), bytes(OVERWRITE_WORDS),
                bytes(CROSSING_WORDS), bytes(MOVED_WORDS), bytes(GATHER_WORDS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = arena.allocate(JAVA_LONG, 2L * ours.size());
            int count = invoke(ABI_NUMBERS, table.address(), 2L * ours.size());
            List<Long> theirs = Arrays.stream(table.asSlice(0, (long) Math.min(count, 2 * ours.size()) * Long.BYTES).toArray(JAVA_LONG)).boxed().toList();
            return theirs.equals(ours) ? Optional.empty() : Optional.of(ANOTHER_BUILD + "its numbers=" + theirs + ", ours=" + ours);
        }
    }

    private static long state(PageState state) {
        return state.ordinal();
    }

    private static long bytes(int words) {
        return (long) words * Long.BYTES;
    }

    /// A function that the driver does not have, as a reason for people.
    static Optional<String> missingOpenClFunction() {
        return Arrays.stream(Cl.values()).filter(function -> function.address().isEmpty()).findFirst()
                .map(function -> Cl.LIBRARY + " has no " + function.function);
    }

    static int probe(long rung, MemorySegment what) {
        return invoke(PROBE, rung, what.address(), what.byteSize());
    }

    static int open(MemorySegment config, MemorySegment opened) {
        return invoke(OPEN, config.address(), opened.address());
    }

    static int addDevice(long pager, MemorySegment config) {
        return invoke(ADD_DEVICE, pager, config.address());
    }

    static int setGather(long pager, long device, MemorySegment gather) {
        return invoke(SET_GATHER, pager, device, gather.address());
    }

    static int close(long pager) {
        try {
            return (int) CLOSE.invokeExact(pager);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int fetch(long pager, long first, long end, long flags, MemorySegment outcomes, MemorySegment moved, MemorySegment failure) {
        try {
            return (int) FETCH.invokeExact(pager, first, end, flags, outcomes.address(), moved.address(), failure.address());
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int cross(long pager, MemorySegment crossing, MemorySegment moved, MemorySegment failure) {
        return invoke(CROSS, pager, crossing.address(), moved.address(), failure.address());
    }

    static int forbid(long pager, long first, long end, boolean keepReading) {
        return invoke(FORBID, pager, first, end, keepReading ? 1L : 0L);
    }

    static int setAccess(long pager, long first, long end, long access) {
        return invoke(SET_ACCESS, pager, first, end, access);
    }

    /// How many of the kernel's mappings all heaps together take with SIGSEGV.
    ///
    /// @param most 0 if there is no such heap
    record Mappings(long used, long most) {}

    static Mappings mappings() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(JAVA_LONG, 2);
            invoke(MAPPINGS, numbers.address(), numbers.address() + Long.BYTES);
            return new Mappings(numbers.getAtIndex(JAVA_LONG, 0), numbers.getAtIndex(JAVA_LONG, 1));
        }
    }

    static int discard(long pager, long first, long end, MemorySegment failure) {
        return invoke(DISCARD, pager, first, end, failure.address());
    }

    static long releaseHost(long pager, long device, long first, long end) {
        try {
            return (long) RELEASE_HOST.invokeExact(pager, device, first, end);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int relocate(long pager, long device, long first, long end, long frame, MemorySegment copied, MemorySegment failure) {
        try {
            return (int) RELOCATE.invokeExact(pager, device, first, end, frame, copied.address(), failure.address());
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static long undo(long pager, long device, long launchedBefore, long clockBefore, long count, long pages, long committed, long before) {
        try {
            return (long) UNDO.invokeExact(pager, device, launchedBefore, clockBefore, count, pages, committed, before);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int launch(long pager, MemorySegment request, MemorySegment failure) {
        return invoke(LAUNCH, pager, request.address(), failure.address());
    }

    static int begin(long pager, MemorySegment request, MemorySegment failure) {
        return invoke(LAUNCH_BEGIN, pager, request.address(), failure.address());
    }

    static int go(long pager, MemorySegment request, MemorySegment failure) {
        return invoke(LAUNCH_GO, pager, request.address(), failure.address());
    }

    static void withdraw(long pager, long number) {
        int result;
        try {
            result = (int) LAUNCH_WITHDRAW.invokeExact(pager, number);
        } catch (Throwable e) {
            throw unexpected(e);
        }
        assert result == 0 : "hmm_launch_withdraw=" + result;
    }

    static void await(long pager, long device, long first, long end, boolean writersOnly) {
        int result;
        try {
            result = (int) AWAIT.invokeExact(pager, device, first, end, writersOnly ? 1L : 0L);
        } catch (Throwable e) {
            throw unexpected(e);
        }
        assert result == 0 : "hmm_await=" + result;
    }

    static void awaitAll(long pager) {
        int result;
        try {
            result = (int) AWAIT_ALL.invokeExact(pager);
        } catch (Throwable e) {
            throw unexpected(e);
        }
        assert result == 0 : "hmm_await_all=" + result;
    }

    static long launched(long pager, long device) {
        try {
            return (long) LAUNCHED.invokeExact(pager, device);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void noteEnds(long pager, long first, long end) {
        invoke(NOTE_ENDS, pager, first, end);
    }

    static long used(long pager, long device, MemorySegment uses, long capacity) {
        try {
            return (long) USED.invokeExact(pager, device, uses.address(), capacity);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /// Fills a `struct hmm_failed_launch` if there is one.
    static boolean failedLaunchOf(long pager, long page, MemorySegment failed) {
        return invoke(FAILED_LAUNCH, pager, page, failed.address()) == 1;
    }

    static boolean mayBeWritten(long pager, long first, long end) {
        return invoke(MAY_BE_WRITTEN, pager, first, end) == 1;
    }

    static int faultDevice(long pager, long device, long range, long budgetPages, long threads) {
        try {
            return (int) FAULT_DEVICE.invokeExact(pager, device, range, budgetPages, threads);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static long leastBudget(long threads) {
        try {
            return (long) LEAST_BUDGET.invokeExact(threads);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int setQuota(long pager, int device, long first, long end, long most) {
        try {
            return (int) SET_QUOTA.invokeExact(pager, (long) device, first, end, most);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int setAlong(long pager, int device, long most) {
        return invoke(SET_ALONG, pager, device, most);
    }

    static long there(long pager, int device, MemorySegment pages) {
        try {
            return (long) THERE.invokeExact(pager, (long) device, pages.address(), pages.byteSize() / Long.BYTES);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int goFirst(long pager, int device, MemorySegment pages) {
        return invoke(GO_FIRST, pager, device, pages.address(), pages.byteSize() / Long.BYTES);
    }

    static int takeHome(long pager, int device, long first, long end) {
        return invoke(TAKE_HOME, pager, device, first, end);
    }

    static void wakeDevice(long pager, long first, long end) {
        int result = invoke(WAKE_DEVICE, pager, first, end);
        assert result == 0 : "hmm_wake_device=" + result;
    }

    /// Fills a `struct hmm_violation` if there is one.
    static boolean violationOf(long pager, long launch, MemorySegment violation) {
        return invoke(VIOLATION_OF, pager, launch, violation.address()) == 1;
    }

    static int takeCounts(long pager, MemorySegment counts, long capacity) {
        return invoke(TAKE_COUNTS, pager, counts.address(), capacity);
    }

    static int record(long pager, boolean on) {
        return invoke(RECORD, pager, on ? 1L : 0L);
    }

    static void endRecords(long pager) {
        int result;
        try {
            result = (int) END_RECORDS.invokeExact(pager);
        } catch (Throwable e) {
            throw unexpected(e);
        }
        assert result == 0 : "hmm_end_records=" + result;
    }

    static long takeRecords(long pager, MemorySegment records, long capacity, MemorySegment lost) {
        try {
            return (long) TAKE_RECORDS.invokeExact(pager, records.address(), capacity, lost.address());
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static boolean awaitNotice(long pager, MemorySegment notice) {
        return invoke(AWAIT_NOTICE, pager, notice.address()) == 1;
    }

    static void endNotices(long pager) {
        int result;
        try {
            result = (int) END_NOTICES.invokeExact(pager);
        } catch (Throwable e) {
            throw unexpected(e);
        }
        assert result == 0 : "hmm_end_notices=" + result;
    }

    static int armStep(long pager, long step, boolean armed) {
        return invoke(STEP_ARM, pager, step, armed ? 1L : 0L);
    }

    static boolean awaitStep(long pager, long step, long millis) {
        return invoke(STEP_AWAIT, pager, step, millis) == 1;
    }

    private static int invoke(MethodHandle function, long a, long b) {
        try {
            return (int) function.invokeExact(a, b);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static int invoke(MethodHandle function, long a, long b, long c) {
        try {
            return (int) function.invokeExact(a, b, c);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static int invoke(MethodHandle function, long a, long b, long c, long d) {
        try {
            return (int) function.invokeExact(a, b, c, d);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static MethodHandle handle(String name, int parameters) {
        return handle(name, FunctionDescriptor.of(JAVA_INT, longs(parameters)));
    }

    private static MethodHandle longHandle(String name, int parameters) {
        return handle(name, FunctionDescriptor.of(JAVA_LONG, longs(parameters)));
    }

    /// One that is missing is told by [#mismatch], and not by a class that cannot be initialised.
    private static MethodHandle handle(String name, FunctionDescriptor type) {
        try {
            return NativeCode.load().downcall(name, type);
        } catch (IllegalStateException _) {
            MISSING.add(name);
            return MethodHandles.empty(type.toMethodType()); // never called: no heap opens
        }
    }

    private static MemoryLayout[] longs(int count) {
        MemoryLayout[] layouts = new MemoryLayout[count];
        Arrays.fill(layouts, (ValueLayout) JAVA_LONG);
        return layouts;
    }

    /// Native code throws nothing; a wrong handle is our mistake.
    private static RuntimeException unexpected(Throwable e) {
        return switch (e) {
            case RuntimeException runtime -> runtime;
            case Error error -> throw error;
            default -> new IllegalStateException(e);
        };
    }
}
