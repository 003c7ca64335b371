package io.github.hmm4j.demos.micro;

import io.github.hmm4j.mirror.Snapshot;
import io.github.hmm4j.space.PageRange;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// What it takes to say where pages are.
@State(Scope.Thread)
public class Snapshots {
    private final PagesInRuns pages = new PagesInRuns();
    private final PageRange one = new PageRange(pages.mixed.first(), pages.mixed.first() + 1);

    @TearDown
    public void close() {
        pages.close();
    }

    @Benchmark
    @Measures("a snapshot of a single page: what any snapshot costs at least")
    public Snapshot onePage() {
        return pages.heap.snapshot(PagesInRuns.DEVICE, one);
    }

    @Benchmark
    @OperationsPerInvocation(PagesInRuns.PAGES)
    @Measures("a snapshot of 4,096 pages, every second run of 16 on the device, for each page")
    public Snapshot eachPage() {
        return pages.heap.snapshot(PagesInRuns.DEVICE, pages.mixed);
    }
}
