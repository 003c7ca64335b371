package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/// What a launch costs beside the same launch through bare OpenCL when everything it needs is on the device already.
final class LaunchBench implements Bench {
    private static final long ARGUMENT_BYTES = ByteSize.mib(1);
    private static final int ARGUMENTS = 3;

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
            Source source = Source.resource("access.cl");
            MemorySegment[] managed = new MemorySegment[ARGUMENTS];
            long[] buffers = new long[ARGUMENTS];
            for (int i = 0; i < ARGUMENTS; i++) {
                managed[i] = hmm.heap().allocate(ARGUMENT_BYTES);
                buffers[i] = bare.buffer(ARGUMENT_BYTES);
            }
            Kernel.Call call = hmm.program(source).kernel("empty3").args(managed[0], managed[1], managed[2]);
            call.launch(NDRange.of(1)).await(); // moves what has to be there
            long kernel = bare.kernel(source, "empty3");
            Samples extra = new Samples();
            for (int run = -sizes.warmUps; run < sizes.runs; run++) {
                double microseconds = extraMicroseconds(call, bare, kernel, buffers);
                if (run >= 0) {
                    extra.add(microseconds);
                }
                context.progress().update(run + sizes.warmUps, sizes.runs + sizes.warmUps);
            }
            return List.of(Subject.rows(hmm.device().info()).value("launch.resident", extra, "us", "added to the same launch through bare OpenCL",
                Map.of("arguments", (long) ARGUMENTS, "argumentBytes", ARGUMENT_BYTES, "launchesPerRun", (long) sizes.launches),
                Target.atMost(extra.median(), 5)));
        }
    }

    private double extraMicroseconds(Kernel.Call call, BareOpenCl bare, long kernel, long[] buffers) {
        Samples managed = new Samples();
        Samples explicit = new Samples();
        for (int i = 0; i < sizes.launches; i++) {
            long start = System.nanoTime();
            Launch launch = call.launch(NDRange.of(1)).await();
            long middle = System.nanoTime();
            launchBare(bare, kernel, buffers);
            long end = System.nanoTime();
            if (launch.moves().rounds() != 0) {
                throw new IllegalStateException("a launch on resident data moved something: " + launch.moves());
            }
            managed.add((middle - start) / 1e3);
            explicit.add((end - middle) / 1e3);
        }
        return managed.median() - explicit.median();
    }

    private static void launchBare(BareOpenCl bare, long kernel, long[] buffers) {
        for (int i = 0; i < ARGUMENTS; i++) {
            bare.api().setMemory(kernel, i, buffers[i]);
        }
        bare.launch(kernel, NDRange.of(1));
    }
}
