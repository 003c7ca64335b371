package io.github.hmm4j.timeline;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/// A touch that was served, or pages that came along with one.
@Name("hmm4j.Fault")
@Label("Page Fault")
@Description("A touch of managed memory that native code served, or more of the pages that came along with one")
public final class FaultEvent extends ServedEvent {

    static final FaultEvent PROBE = new FaultEvent();

    @Label("Ahead")
    @Description("Whether nobody waited for these pages: they came along with an earlier touch, in a piece of their own")
    boolean ahead;

    @Label("Write")
    @Description("Whether the touch was for writing")
    boolean write;

    @Label("Found")
    @Description("State in which the first page was found")
    String found = "";

    @Label("Upgraded Pages")
    @Description("Of the pages, those that the host took over to write without a copy")
    long upgradedPages;

    public void of(boolean ahead, boolean write, String found, long upgradedPages) {
        this.ahead = ahead;
        this.write = write;
        this.found = found;
        this.upgradedPages = upgradedPages;
    }
}
