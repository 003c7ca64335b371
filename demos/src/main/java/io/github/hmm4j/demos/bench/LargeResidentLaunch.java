package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;

/// An empty kernel with a large argument of small pages that are all on the device: what it costs to see that they are.
final class LargeResidentLaunch {
    private static final Source KERNELS = Source.resource("access.cl");

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
        Kernel.Call call = hmm.program(KERNELS).kernel("empty3").args(large, small, small);
        call.launch(NDRange.of(1)).await(); // moves what has to be there
        long kernel = bare.kernel(KERNELS, "empty3");
        long buffer = bare.buffer(ByteSize.mib(1)); // how large a buffer is makes no difference to a driver
        Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress,
            () -> managedMicros(call), () -> explicitMicros(kernel, buffer));
        Samples ratio = turns.ratio();
        return Subject.rows(hmm).row(name, turns.ours().median(), "us", Optional.of(ratio.median()),
            "the same launch through bare OpenCL",
            Map.of("argumentBytes", sizes.residentBytes(), "pageSizeBytes", (long) hmm.heap().pageSize().bytes(),
                "explicitNanos", Math.round(turns.theirs().median() * 1e3)), Optional.empty(), ratio);
    }

    private static double managedMicros(Kernel.Call call) {
        long start = System.nanoTime();
        Launch launch = call.launch(NDRange.of(1)).await();
        double micros = (System.nanoTime() - start) / 1e3;
        if (launch.moves().rounds() != 0) {
            throw new IllegalStateException("a launch on resident data moved something: " + launch.moves());
        }
        return micros;
    }

    private double explicitMicros(long kernel, long buffer) {
        long start = System.nanoTime();
        for (int i = 0; i < 3; i++) {
            bare.api().setMemory(kernel, i, buffer);
        }
        bare.launch(kernel, NDRange.of(1));
        return (System.nanoTime() - start) / 1e3;
    }
}
