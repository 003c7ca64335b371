package io.github.hmm4j.demos.bench;

import io.github.hmm4j.demos.harness.Bench;
import java.util.List;

/// All benchmarks, in the order in which `hmm bench all` runs them.
public final class Benches {
    private Benches() {}

    public static List<Bench> all() {
        return List.of();
    }
}
