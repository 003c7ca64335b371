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
    private static final long IDLE_NANOS = 50_000;

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
            if (i % 2 == 0) {
                managed.add(managedMicroseconds(call));
                explicit.add(explicitMicroseconds(bare, kernel, buffers));
            } else {
                explicit.add(explicitMicroseconds(bare, kernel, buffers));
                managed.add(managedMicroseconds(call));
            }
        }
        return managed.median() - explicit.median();
    }

    private static double managedMicroseconds(Kernel.Call call) {
        letTheDeviceFallIdle();
        long start = System.nanoTime();
        Launch launch = call.launch(NDRange.of(1)).await();
        long nanos = System.nanoTime() - start;
        if (launch.moves().rounds() != 0) {
            throw new IllegalStateException("a launch on resident data moved something: " + launch.moves());
        }
        return nanos / 1e3;
    }

    private static double explicitMicroseconds(BareOpenCl bare, long kernel, long[] buffers) {
        letTheDeviceFallIdle();
        long start = System.nanoTime();
        for (int i = 0; i < ARGUMENTS; i++) {
            bare.api().setMemory(kernel, i, buffers[i]);
        }
        bare.launch(kernel, NDRange.of(1));
        return (System.nanoTime() - start) / 1e3;
    }

    /// A driver's thread that has just ended a command takes the next one sooner than one that sleeps. Whoever launches first after a command would be measured as the
    /// faster one, whatever it does itself; after a pause both find the same device.
    private static void letTheDeviceFallIdle() {
        long end = System.nanoTime() + IDLE_NANOS;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }
}
