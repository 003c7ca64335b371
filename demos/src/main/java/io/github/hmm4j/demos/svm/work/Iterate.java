package io.github.hmm4j.demos.svm.work;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Argument;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import java.util.function.LongConsumer;

/// The host writes everything, a hundred kernels work on it in place, the host adds it up.
final class Iterate implements Work {
    private static final int TIMES = 100;

    @Override
    public Workload workload() {
        return Workload.ITERATE;
    }

    @Override
    public Task open(OpenStrategy strategy, long sizeBytes) {
        return new Open(strategy, strategy.allocate(sizeBytes));
    }

    private static final class Open implements Task {
        private final OpenStrategy strategy;
        private final Block data;
        private final long n;
        private long seed;

        Open(OpenStrategy strategy, Block data) {
            this.strategy = strategy;
            this.data = data;
            n = Words.count(data);
        }

        @Override
        public void run(long run, LongConsumer latency) {
            seed = run;
            Words.ramp(data, seed);
            strategy.launch(TIMES, "share_step", n, new Argument.Part(data, 0, data.lengthBytes()), Argument.number(n));
            long expected = Words.sumOfRamp(seed, n);
            for (int i = 0; i < TIMES; i++) {
                expected = Words.sumAfterStep(expected, n);
            }
            WrongResultException.check("sum", run, Words.sum(data), expected);
        }

        @Override
        public void verify() {
            Words.verify("data", data, i -> Words.steps(seed + i, TIMES));
        }

        @Override
        public void close() {
            data.close();
        }
    }
}
