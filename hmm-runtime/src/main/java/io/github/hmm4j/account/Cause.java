package io.github.hmm4j.account;

/// Why a page moved. Every migration has exactly one cause.
public enum Cause {
    LAUNCH("a kernel launch needs the page on its device"),
    DEVICE_FAULT("a kernel asked for the page, by touching it or through its device's page table, and it was not there"),
    PREFETCH("the program asked for it ahead of use"),
    FAULT("the host touched a page that was on a device, and what came along with it"),
    PIN("the program pinned it on the host"),
    VIEW("the program opened a view of a page that was on a device"),
    EVICTION("its frame was needed for another page"),
    PEER("another device needs the page, and it can only go there through the host"),
    MOVE("its region was moved to another address"),
    UNDO("the launch it moved for did not happen");

    private final String meaning;

    Cause(String meaning) {
        this.meaning = meaning;
    }

    /// One sentence for people.
    public String meaning() {
        return meaning;
    }
}
