package io.github.hmm4j.demos.micro;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.space.PageRange;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// What is decided before a launch: which pages it needs, which of them are missing, and that all are there.
@State(Scope.Thread)
public class Plans {
    private static final NDRange ONE = NDRange.of(1);

    private final PagesInRuns pages = new PagesInRuns();
    private final Hmm hmm = NoDriver.heap(ByteSize.mib(64));
    private final Kernel.Call small = call(ByteSize.kib(64));
    private final Kernel.Call large = call(ByteSize.mib(16));

    @TearDown
    public void close() {
        hmm.close();
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

    @Benchmark
    @Measures("a launch with three resident arguments of one page, on a device that does nothing: all of it is hmm4j's own")
    public Launch launchOnePageArguments() {
        return small.launch(ONE).await();
    }

    @Benchmark
    @Measures("the same launch with three resident arguments of 256 pages: what is more is the price of 765 pages")
    public Launch launchManyPageArguments() {
        return large.launch(ONE).await();
    }

    /// With three arguments of this size, which are on the device when this returns.
    private Kernel.Call call(long argumentBytes) {
        Kernel.Call call = hmm.program(Source.resource("access.cl")).kernel("empty3").args(
            hmm.heap().allocate(argumentBytes), hmm.heap().allocate(argumentBytes), hmm.heap().allocate(argumentBytes));
        call.launch(ONE).await();
        return call;
    }
}
