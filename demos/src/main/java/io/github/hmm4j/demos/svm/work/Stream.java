package io.github.hmm4j.demos.svm.work;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Argument;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import java.util.function.LongConsumer;

/// The host writes half of the data, a kernel makes the other half from it, the host adds that up.
final class Stream implements Work {
    @Override
    public Workload workload() {
        return Workload.STREAM;
    }

    @Override
    public Task open(OpenStrategy strategy, long sizeBytes) {
        return new Open(strategy, strategy.allocate(sizeBytes / 2), strategy.allocate(sizeBytes / 2));
    }

    private static final class Open implements Task {
        private final OpenStrategy strategy;
        private final Block in;
        private final Block out;
        private final long n;
        private long seed;

        Open(OpenStrategy strategy, Block in, Block out) {
            this.strategy = strategy;
            this.in = in;
            this.out = out;
            n = Words.count(in);
        }

        @Override
        public void run(long run, LongConsumer latency) {
            seed = run;
            Words.ramp(in, seed);
            strategy.launch(1, "share_map", n, Argument.in(in), Argument.out(out), Argument.number(n));
            WrongResultException.check("sum", run, Words.sum(out), Words.sumAfterStep(Words.sumOfRamp(seed, n), n));
        }

        @Override
        public void verify() {
            Words.verify("out", out, i -> Words.step(seed + i));
            Words.verify("in", in, i -> seed + i);
        }

        @Override
        public void close() {
            in.close();
            out.close();
        }
    }
}
