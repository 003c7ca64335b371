package io.github.hmm4j.emulated;

/// One of the emulated GPUs that this process runs on, and what a test may do to it.
///
/// Tests that use it are tagged `emulated-gpu` and run in a JVM of their own, in which the layer is loaded and shows two devices with the profile `nvidia`; those tagged
/// `emulated-igpu` in another, with the profile `igpu`. Threads: any.
public final class EmulatedGpu {

    private final int number;

    private EmulatedGpu(int number) {
        this.number = number;
    }

    /// The one that OpenCL lists at this place.
    public static EmulatedGpu number(int number) {
        return new EmulatedGpu(number);
    }

    /// Before each test: no engine is held, nothing is to fail or to stop, no device is lost, and limits are those of the profile. The process must hold no OpenCL object but programs'
    /// leftovers of drivers; numbers of calls go on counting.
    public static void reset() {
        throw new UnsupportedOperationException();
    }

    // ---- time

    /// Holds engines: what is running ends, what comes after waits, in flight, until [#resume] or [#step].
    public void hold(Engine... engines) {
        throw new UnsupportedOperationException();
    }

    /// Lets them go on; all of them if none is named.
    public void resume(Engine... engines) {
        throw new UnsupportedOperationException();
    }

    /// Lets one more command of an engine that is held run, and waits for its end (first for its arrival, if there is none).
    public void step(Engine engine) {
        throw new UnsupportedOperationException();
    }

    /// Commands enqueued for an engine since the process began.
    public long submitted(Engine engine) {
        throw new UnsupportedOperationException();
    }

    /// Those that have ended, well or badly.
    public long completed(Engine engine) {
        throw new UnsupportedOperationException();
    }

    /// Waits until so many were enqueued for an engine since the process began.
    public void awaitSubmitted(Engine engine, long count) {
        throw new UnsupportedOperationException();
    }

    // ---- failures

    /// Makes one call fail when it is made, counted from now: 1 is the next.
    public void fail(Call call, long nth) {
        throw new UnsupportedOperationException();
    }

    /// Makes the next `count` calls fail; [Integer#MAX_VALUE] for all of them.
    public void failNext(Call call, int count) {
        throw new UnsupportedOperationException();
    }

    /// Accepts a command and lets it end with -14 without running it, counted from now among those of this call: 1 is the next.
    public void failEnd(Call call, long nth) {
        throw new UnsupportedOperationException();
    }

    /// Forgets failures and stops asked for that have not struck.
    public void clear() {
        throw new UnsupportedOperationException();
    }

    /// Calls since the process began, failed ones too.
    public long calls(Call call) {
        throw new UnsupportedOperationException();
    }

    /// Calls of all kinds that [Call] names.
    public long calls() {
        throw new UnsupportedOperationException();
    }

    /// Loses the device: every later call fails, and so does the work in flight. Engines that are held go on, to say so.
    public void lose() {
        throw new UnsupportedOperationException();
    }

    /// Loses the device at the start of one of the calls that [Call] names, counted from now: 1 is the next.
    public void loseAt(long nth) {
        throw new UnsupportedOperationException();
    }

    // ---- stops

    /// Stops the thread that makes a call, before it has any effect; counted from now, 1 is the next. To be closed by the test.
    public Stop stopAt(Call call, long nth) {
        throw new UnsupportedOperationException();
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
        throw new UnsupportedOperationException();
    }

    /// OpenCL objects that this process holds now, of whatever device.
    public static long openObjects() {
        throw new UnsupportedOperationException();
    }

    /// Other limits than the profile's until [#reset], for contexts and lists of devices that are made from now on.
    public static void limit(long memoryBytes, long allocationBytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String toString() {
        return "emulated GPU " + number;
    }
}
