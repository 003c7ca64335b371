package io.github.hmm4j.timeline;

import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Timespan;

/// Pages that native code moved under claims of its own, with the steps that took the time. The flight recorder's own time of such an event is when Java heard of it.
public abstract sealed class ServedEvent extends TimelineEvent permits BatchEvent, FaultEvent {

    @Label("Thread")
    @Description("Number of the native thread, as the operating system has it")
    long nativeThread;

    @Label("First Page")
    @Description("Index of the first page")
    long firstPage;

    @Label("Pages")
    @Description("Pages that were claimed, neighbours that came along included; 0 if somebody else was bringing them")
    long pages;

    @Label("Address")
    @Description("Address of the first page, as the program sees it")
    @MemoryAddress
    long address;

    @Label("Device")
    @Description("Number of the device that pages were copied from or to; -1 if none was copied")
    int device = -1;

    @Label("Copied Pages")
    @Description("Of the pages, those that were copied")
    long copiedPages;

    @Label("Copied")
    @Description("Bytes that were copied")
    @DataAmount
    long copiedBytes;

    @Label("Start")
    @Description("When it began, on the clock of System.nanoTime")
    long startNanos;

    @Label("Total")
    @Description("From its beginning to its end")
    @Timespan(Timespan.NANOSECONDS)
    long totalNanos;

    @Label("Claim")
    @Description("Until its pages were claimed")
    @Timespan(Timespan.NANOSECONDS)
    long claimNanos;

    @Label("Wait")
    @Description("Then, until the launches had ended that use them")
    @Timespan(Timespan.NANOSECONDS)
    long waitNanos;

    @Label("Copy")
    @Description("Then, until they were copied: the memcpy, or from the first command to the end of the last, as the host saw it")
    @Timespan(Timespan.NANOSECONDS)
    long copyNanos;

    @Label("Map")
    @Description("Then, until they were mapped for the program")
    @Timespan(Timespan.NANOSECONDS)
    long mapNanos;

    @Label("Result")
    @Description("0, or what went wrong as a negative errno")
    long result;

    public final void pages(long firstPage, long pages, long address) {
        this.firstPage = firstPage;
        this.pages = pages;
        this.address = address;
    }

    /// @param device -1 if nothing was copied
    public final void copied(int device, long pages, long bytes) {
        this.device = device;
        copiedPages = pages;
        copiedBytes = bytes;
    }

    public final void ended(long nativeThread, long result) {
        this.nativeThread = nativeThread;
        this.result = result;
    }

    /// The moments at which each step ended; a step that was left out ended with the one before.
    public final void steps(long start, long claimed, long waited, long copied, long mapped, long end) {
        startNanos = start;
        claimNanos = claimed - start;
        waitNanos = waited - claimed;
        copyNanos = copied - waited;
        mapNanos = mapped - copied;
        totalNanos = end - start;
    }
}
