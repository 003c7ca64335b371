package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.harness.RunContext;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/// What a launch costs beside the same launch through bare OpenCL when everything it needs is on the device already.
final class LaunchBench implements Bench {
    private static final long ARGUMENT_BYTES = ByteSize.kib(4);

    private final Sizes sizes;

    /// @param launches in one run, of each kind in turns; a run gives the difference of their medians
    record Sizes(int launches, int warmUps, int runs) {
        static final Sizes FULL = new Sizes(1000, 10, 41);
    }

    LaunchBench(Sizes sizes) {
        this.sizes = sizes;
    }

    @Override
    public String name() {
        return "launch";
    }

    @Override
    public String question() {
        return "What does a launch cost beside bare OpenCL when nothing has to move?";
    }

    @Override
    public List<BenchRow> run(RunContext context) throws Exception {
        try (Hmm hmm = Subject.heap(context.device(), ByteSize.mib(64)).open(); BareOpenCl bare = BareOpenCl.beside(hmm)) {
            MemorySegment[] managed = new MemorySegment[ResidentLaunches.ARGUMENTS];
            long[] buffers = new long[ResidentLaunches.ARGUMENTS];
            for (int i = 0; i < managed.length; i++) {
                managed[i] = hmm.heap().allocate(ARGUMENT_BYTES);
                buffers[i] = bare.buffer(ARGUMENT_BYTES);
            }
            Kernel kernel = hmm.program(ResidentLaunches.KERNELS).kernel(ResidentLaunches.KERNEL);
            ResidentLaunches launches = new ResidentLaunches(kernel.args(managed[0], managed[1], managed[2]), bare, buffers);
            Samples added = new Samples();
            for (int run = -sizes.warmUps; run < sizes.runs; run++) {
                double micros = launches.run(sizes.launches).added();
                if (run >= 0) {
                    added.add(micros);
                }
                context.progress().update(run + sizes.warmUps, sizes.runs + sizes.warmUps);
            }
            return List.of(Subject.rows(hmm.device().info()).value("launch.resident", added, "us", "added to the same launch through bare OpenCL",
                Map.of("arguments", (long) ResidentLaunches.ARGUMENTS, "argumentBytes", ARGUMENT_BYTES, "launchesPerRun", (long) sizes.launches),
                Target.atMost(added.median(), 3)));
        }
    }
}
