package io.github.hmm4j.demos.svm;

/// What a program does with a device: each is a question.
public enum Workload {
    STREAM("stream", "Stream once", "Each byte goes to the device once, and a result as large comes back: what does moving cost?"),
    ITERATE("iterate", "Iterate 100 times", "A hundred kernels over the same data: what does it cost where nothing needs to move?"),
    SPARSE_READ_1("sparse_read.1", "Sparse reads, 1 %", "The device reads one page in a hundred of what the host has changed: who moves only that?"),
    SPARSE_READ_10("sparse_read.10", "Sparse reads, 10 %", "The device reads one page in ten of what the host has changed: who moves only that?"),
    SPARSE_UPDATE("sparse_update", "Sparse updates", "The host changes one page in a hundred between launches that read everything: what does that cost?"),
    PING_PONG("ping_pong", "Ping-pong per page", "Host and device take turns on one page after the other: what does a turn cost?"),
    CHASE("chase", "Pointer chasing", "One work-item follows a chain through memory: what does a dependent access cost?"),
    REDUCE("reduce", "Reduce to one value", "The device reads everything and gives back eight bytes: is the way back free?"),
    HANDSHAKE("handshake", "Handshake with a running kernel", "Host and a running kernel answer each other through a flag: how long is a round trip?"),
    BEYOND_BUDGET("beyond_budget", "Working set beyond the budget", "Two passes over twice as much data as device memory may hold: what does it cost to take turns?"),
    FIRST_TOUCH("first_touch", "First touch", "Memory is allocated and a kernel writes it: how long until the first result?");

    private final String id;
    private final String title;
    private final String question;

    Workload(String id, String title, String question) {
        this.id = id;
        this.title = title;
        this.question = question;
    }

    public String title() {
        return title;
    }

    public String question() {
        return question;
    }

    /// Stable name, for output that programs read.
    @Override
    public String toString() {
        return id;
    }
}
