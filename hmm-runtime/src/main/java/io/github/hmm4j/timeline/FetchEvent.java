package io.github.hmm4j.timeline;

import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// A view or a pin was opened.
@Name("hmm4j.Fetch")
@Label("View or Pin")
@Description("A view or a pin was opened, from the call until its pages were at home and held; the migration in it is an event of its own")
@StackTrace(true)
public final class FetchEvent extends TimelineEvent {

    static final FetchEvent PROBE = new FetchEvent();

    @Label("Kind")
    @Description("VIEW or PIN")
    String kind = "";

    @Label("Write")
    @Description("Whether it was opened for writing, so that devices lose their copies")
    boolean write;

    @Label("First Page")
    @Description("Index of its first page")
    long firstPage;

    @Label("Range Pages")
    @Description("Its length in pages")
    long rangePages;

    @Label("Address")
    @Description("Address of its first byte, as the program sees it")
    @MemoryAddress
    long address;

    @Label("Moved Pages")
    @Description("Pages that changed place to open it")
    long movedPages;

    @Label("Copied")
    @Description("Bytes that were copied home to open it")
    @DataAmount
    long copiedBytes;

    /// @param pin whether it is a pin; else a view
    public void of(boolean pin, boolean write, long firstPage, long rangePages, long address) {
        kind = pin ? "PIN" : "VIEW";
        this.write = write;
        this.firstPage = firstPage;
        this.rangePages = rangePages;
        this.address = address;
    }

    public void fetched(long pages, long bytesCopied) {
        movedPages = pages;
        copiedBytes = bytesCopied;
    }
}
