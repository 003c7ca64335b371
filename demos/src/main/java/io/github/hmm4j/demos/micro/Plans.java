package io.github.hmm4j.demos.micro;

import io.github.hmm4j.space.PageRange;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// What is decided before a launch: which of the pages that it needs are missing.
@State(Scope.Thread)
public class Plans {
    private final PagesInRuns pages = new PagesInRuns();

    @TearDown
    public void close() {
        pages.close();
    }

    @Benchmark
    @OperationsPerInvocation(PagesInRuns.PAGES)
    @Measures("look for missing pages where all are on the device, for each page")
    public List<PageRange> scanResidentPage() {
        return pages.mirror.missing(pages.resident, false);
    }

    @Benchmark
    @OperationsPerInvocation(PagesInRuns.PAGES)
    @Measures("look for missing pages where every second run of 16 is missing, for each page")
    public List<PageRange> scanMixedPage() {
        return pages.mirror.missing(pages.mixed, false);
    }
}
