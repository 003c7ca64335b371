package io.github.hmm4j.demos.bench;

import io.github.hmm4j.demos.harness.Bench;
import java.util.List;

/// All benchmarks.
public final class Benches {
    private Benches() {}

    /// In the order in which `hmm bench all` runs them, at the sizes that the targets are about.
    public static List<Bench> all() {
        return List.of(new CopyBench(CopyBench.Sizes.FULL), new LaunchBench(LaunchBench.Sizes.FULL),
            new MatmulBench(MatmulBench.Sizes.FULL), new PagesBench(PagesBench.Sizes.FULL), new HeapBench(HeapBench.Sizes.FULL),
            new FaultBench(FaultBench.Sizes.FULL), new CliffBench(CliffBench.Sizes.FULL),
            new PagedBench(PagedBench.Sizes.FULL), new InPlaceBench(InPlaceBench.Sizes.FULL),
            new DiscreteBench(DiscreteBench.Sizes.FULL), new PeersBench(PeersBench.Sizes.FULL));
    }
}
