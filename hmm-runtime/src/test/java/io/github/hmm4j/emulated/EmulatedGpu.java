package io.github.hmm4j.emulated;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// One of the emulated GPUs that this process runs on, and what a test may do to it.
///
/// Tests that use it are tagged `emulated-gpu` and run in a JVM of their own, in which the layer is loaded and shows two devices with the profile `nvidia`; those tagged
/// `emulated-igpu` in another, with the profile `igpu`. Threads: any.
///
/// What waits does so for a minute, and then throws an [AssertionError] that says for what: a test that is broken fails, and does not hang.
public final class EmulatedGpu {

    private static final int PATIENCE_SECONDS = 60;
    private static final long TEXT_BYTES = 200;
    private static final int FAILED_END = -14; // CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST

    private final int number;
    private final MemorySegment device;

    private EmulatedGpu(int number, MemorySegment device) {
        this.number = number;
        this.device = device;
    }

    /// The one that OpenCL lists at this place.
    ///
    /// @throws IllegalStateException if this JVM does not run as such tests must, or has fewer
    /// @throws org.opentest4j.TestAbortedException if this machine has no emulated GPU
    public static EmulatedGpu number(int number) {
        MemorySegment device = Reins.address("device", number);
        if (device.address() == 0) {
            throw new IllegalStateException("no emulated GPU " + number + ": POCL_DEVICES=\"pthread pthread\" makes two");
        }
        return new EmulatedGpu(number, device);
    }

    /// Before each test: no engine is held, nothing is to fail or to stop, no device is lost, and limits are those of the profile. Numbers of calls and commands go on counting.
    ///
    /// @throws IllegalStateException if the process still holds a context of an emulated GPU; says what else it holds
    public static void reset() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment left = arena.allocate(TEXT_BYTES);
            if (!Reins.asks("reset", left, TEXT_BYTES)) {
                throw new IllegalStateException("this process still uses emulated GPUs: " + left.getString(0));
            }
        }
    }

    // ---- time

    /// Holds engines, all of them if none is named: what is running ends, what comes after waits, in flight, until [#resume] or [#step].
    public void hold(Engine... engines) {
        for (Engine engine : engines.length == 0 ? Engine.values() : engines) {
            Reins.tell("hold", device, engine.ordinal(), true);
        }
    }

    /// Lets them go on; all of them if none is named.
    public void resume(Engine... engines) {
        for (Engine engine : engines.length == 0 ? Engine.values() : engines) {
            Reins.tell("hold", device, engine.ordinal(), false);
        }
    }

    /// Lets one more command of an engine that is held run, and waits for its end (first for its arrival, if there is none).
    public void step(Engine engine) {
        switch (Reins.status("step", device, engine.ordinal(), PATIENCE_SECONDS)) {
            case 0 -> {}
            case 1 -> throw new IllegalStateException("nobody holds " + engine + " of " + this);
            default -> throw new AssertionError("no command for " + engine + " of " + this + " has come and ended in a step: " + counts(engine));
        }
    }

    /// Commands enqueued for an engine since the process began.
    public long submitted(Engine engine) {
        return Reins.number("submitted", device, engine.ordinal());
    }

    /// Those that have ended, well or badly.
    public long completed(Engine engine) {
        return Reins.number("completed", device, engine.ordinal());
    }

    /// Waits until so many were enqueued for an engine since the process began.
    public void awaitSubmitted(Engine engine, long count) {
        if (!Reins.asks("await_submitted", device, engine.ordinal(), count, PATIENCE_SECONDS)) {
            throw new AssertionError("waited for " + count + " commands for " + engine + " of " + this + ": " + counts(engine));
        }
    }

    // ---- failures

    /// Makes one call fail, with the status that [Call] has for it: counted from now, 1 is the next.
    public void fail(Call call, long nth) {
        fail(call, nth, call.status());
    }

    /// The same with a status of the test's choice.
    public void fail(Call call, long nth, int status) {
        noted(Reins.asks("fail", device, call.ordinal(), nth, 1L, status));
    }

    /// Makes all calls from now on fail.
    public void failAll(Call call) {
        failAll(call, call.status());
    }

    /// The same with a status of the test's choice.
    public void failAll(Call call, int status) {
        noted(Reins.asks("fail", device, call.ordinal(), 1L, Long.MAX_VALUE, status));
    }

    /// Accepts a command and lets it end with -14 without running it, counted from now among those of this call: 1 is the next.
    public void failEnd(Call call, long nth) {
        failEnd(call, nth, FAILED_END);
    }

    /// The same with a status of the test's choice.
    public void failEnd(Call call, long nth, int status) {
        if (!call.isCommand()) {
            throw new IllegalArgumentException("it is no command: " + call);
        }
        noted(Reins.asks("fail_end", device, call.ordinal(), nth, status));
    }

    /// Forgets failures, losses and stops asked for that have not struck.
    public void clear() {
        Reins.tell("clear", device);
    }

    /// Calls since the process began, failed ones too.
    public long calls(Call call) {
        return Reins.number("calls", device, call.ordinal());
    }

    /// Calls of all kinds that [Call] names.
    public long calls() {
        return Reins.number("calls", device, Call.values().length);
    }

    /// Loses the device: every later call fails, and so does the work in flight. Engines that are held go on, to say so.
    public void lose() {
        Reins.tell("lose", device);
    }

    /// Loses the device at the start of one of the calls that [Call] names, counted from now: 1 is the next.
    public void loseAt(long nth) {
        noted(Reins.asks("lose_at", device, nth));
    }

    // ---- stops

    /// Stops the thread that makes a call, before it has any effect; counted from now, 1 is the next. To be closed by the test.
    public Stop stopAt(Call call, long nth) {
        MemorySegment stop = Reins.address("stop_at", device, call.ordinal(), nth);
        noted(stop.address() != 0);
        return new StopOfCall(stop, this + " at " + call);
    }

    /// Where a thread is stopped, or will be.
    public interface Stop extends AutoCloseable {

        /// Waits until a thread has come here.
        void await();

        /// Lets it go on, and stops nobody any more. Idempotent.
        @Override
        void close();
    }

    // ---- what it has

    /// Device memory that is committed now.
    public long usedBytes() {
        return Reins.number("used_bytes", device);
    }

    /// OpenCL objects that this process holds now, of whatever device.
    public static long openObjects() {
        return Reins.number("open_objects");
    }

    /// Other limits than the profile's until [#reset], for contexts and lists of devices that are made from now on.
    public static void limit(long memoryBytes, long allocationBytes) {
        if (allocationBytes <= 0 || memoryBytes < allocationBytes) {
            throw new IllegalArgumentException("memoryBytes=" + memoryBytes + ", allocationBytes=" + allocationBytes);
        }
        Reins.tell("limit", memoryBytes, allocationBytes);
    }

    /// Lets each kernel take so many bytes of the device's memory for itself until [#reset]: its launch is refused with -4 while fewer are free.
    public static void kernelsTake(long bytes) {
        Reins.tell("kernels_take", bytes);
    }

    private static void noted(boolean noted) {
        if (!noted) {
            throw new IllegalArgumentException("calls are counted from 1");
        }
    }

    private String counts(Engine engine) {
        return submitted(engine) + " were submitted since the process began, and " + completed(engine) + " have ended";
    }

    private static final class StopOfCall implements Stop {

        private final MemorySegment stop;
        private final String where;
        private boolean closed;

        StopOfCall(MemorySegment stop, String where) {
            this.stop = stop;
            this.where = where;
        }

        @Override
        public void await() {
            if (!Reins.asks("await_stop", stop, PATIENCE_SECONDS)) {
                throw new AssertionError("waited for a thread to be stopped: " + where);
            }
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                Reins.tell("end_stop", stop);
            }
        }
    }

    @Override
    public String toString() {
        return "emulated GPU " + number;
    }
}
