package io.github.hmm4j.demos.svm;

/// What a program does with a device: each is a question.
public enum Workload {
    STREAM("stream", "Stream once", "Each byte goes to the device once, and a result as large comes back: what does moving cost?",
        "the host writes half of the data, a kernel makes the other half from it, the host adds that up"),
    ITERATE("iterate", "Iterate 100 times", "A hundred kernels over the same data: what does it cost where nothing needs to move?",
        "the host writes everything, a hundred kernels work on it in place, the host adds it up"),
    SPARSE_READ_1("sparse_read.1", "Sparse reads, 1 %", "The device reads one page in a hundred of what the host has changed: who moves only that?",
        "the host changes a word of every page, a kernel reads 1 % of the pages, the host looks at a sum for each"),
    SPARSE_READ_10("sparse_read.10", "Sparse reads, 10 %", "The device reads one page in ten of what the host has changed: who moves only that?",
        "the host changes a word of every page, a kernel reads 10 % of the pages, the host looks at a sum for each"),
    SPARSE_UPDATE("sparse_update", "Sparse updates", "The host changes one page in a hundred between launches that read everything: what does that cost?",
        "the host changes a word in 1 % of the pages, saying so page by page; the device adds everything up"),
    PING_PONG("ping_pong", "Ping-pong per page", "Host and device take turns on one page after the other: what does a turn cost?",
        "the host writes a page of 4 KiB, a kernel changes it in place, the host adds it up; the next page lies elsewhere"),
    CHASE("chase", "Pointer chasing", "One work-item follows a chain through memory: what does a dependent access cost?",
        "one work-item follows up to 20,000 links through data that was written once; links are numbers of lines, so that every strategy runs the same kernel"),
    REDUCE("reduce", "Reduce to one value", "The device reads everything and gives back eight bytes: is the way back free?",
        "the host changes a word of every page, the device adds everything up, the host reads 8 bytes"),
    HANDSHAKE("handshake", "Handshake with a running kernel", "Host and a running kernel answer each other through a flag: how long is a round trip?",
        "a flag set by the host, seen by a running kernel, answered through another flag; 1,000 of these per run. Strategies under which the two cannot see each other are named"),
    BEYOND_BUDGET("beyond_budget", "Working set beyond the budget", "Two passes over twice as much data as device memory may hold: what does it cost to take turns?",
        "eight blocks, of which half may be on the device at a time: two passes of a kernel over all. Managed heaps keep the budget by eviction; explicit copies have one buffer and copy each block in and out; for the others the driver decides"),
    FIRST_TOUCH("first_touch", "First touch", "Memory is allocated and a kernel writes it: how long until the first result?",
        "memory is allocated, a kernel writes all of it, the host reads a word");

    private final String id;
    private final String title;
    private final String question;
    private final String operation;

    Workload(String id, String title, String question, String operation) {
        this.id = id;
        this.title = title;
        this.question = question;
        this.operation = operation;
    }

    public String title() {
        return title;
    }

    public String question() {
        return question;
    }

    /// What is done once, and timed: without a capital and a full stop.
    public String operation() {
        return operation;
    }

    /// Stable name, for output that programs read.
    @Override
    public String toString() {
        return id;
    }
}
