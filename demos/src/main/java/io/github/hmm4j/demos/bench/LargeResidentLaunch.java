package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/// An empty kernel with a large argument of small pages that are all on the device: what it costs to see that they are.
final class LargeResidentLaunch {
    private final Hmm hmm;
    private final BareOpenCl bare;
    private final CliffBench.Sizes sizes;
    private final Progress progress;

    LargeResidentLaunch(Hmm hmm, BareOpenCl bare, CliffBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.bare = bare;
        this.sizes = sizes;
        this.progress = progress;
    }

    BenchRow row() throws Exception {
        String name = "launch.resident.large";
        progress.step(name);
        MemorySegment large = hmm.heap().allocate(sizes.residentBytes());
        MemorySegment small = hmm.heap().allocate(ByteSize.mib(1));
        Kernel.Call call = hmm.program(ResidentLaunches.KERNELS).kernel(ResidentLaunches.KERNEL).args(large, small, small);
        long buffer = bare.buffer(ByteSize.mib(1)); // how large a buffer is makes no difference to a driver
        ResidentLaunches launches = new ResidentLaunches(call, bare, buffer, buffer, buffer);
        Samples added = new Samples();
        Samples explicit = new Samples();
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            ResidentLaunches.Micros micros = launches.run(sizes.residentLaunches());
            if (run >= 0) {
                added.add(micros.added());
                explicit.add(micros.explicit());
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        return Subject.rows(hmm).value(name, added, "us", "added to the same launch through bare OpenCL",
            Map.of("argumentBytes", sizes.residentBytes(), "pageSizeBytes", (long) hmm.heap().pageSize().bytes(),
                "launchesPerRun", (long) sizes.residentLaunches(), "explicitNanos", Math.round(explicit.median() * 1e3)),
            Target.atMost(added.median(), 10));
    }
}
