package io.github.hmm4j.demos.svm.work;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Argument;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Memory is allocated, a kernel writes all of it, the host reads one word.
final class FirstTouch implements Work {
    @Override
    public Workload workload() {
        return Workload.FIRST_TOUCH;
    }

    @Override
    public Task open(OpenStrategy strategy, long sizeBytes) {
        return new Open(strategy, sizeBytes);
    }

    private static final class Open implements Task {
        private final OpenStrategy strategy;
        private final long sizeBytes;
        private @Nullable Block fresh;

        Open(OpenStrategy strategy, long sizeBytes) {
            this.strategy = strategy;
            this.sizeBytes = sizeBytes;
        }

        @Override
        public void run(long run, LongConsumer latency) {
            long start = System.nanoTime();
            Block block = strategy.allocate(sizeBytes);
            fresh = block;
            long n = Words.count(block);
            strategy.launch(1, "share_fill", n, Argument.out(block), Argument.number(run), Argument.number(n));
            long last = Words.read(block, n - 1);
            latency.accept(System.nanoTime() - start);
            WrongResultException.check("last word", n - 1, last, Words.step(run + n - 1));
        }

        @Override
        public void after(long run) {
            close();
        }

        @Override
        public void verify() {
            Block block = strategy.allocate(sizeBytes);
            fresh = block;
            long n = Words.count(block);
            strategy.launch(1, "share_fill", n, Argument.out(block), Argument.number(7), Argument.number(n));
            Words.verify("block", block, i -> Words.step(7 + i));
            close();
        }

        @Override
        public void close() {
            if (fresh != null) {
                fresh.close();
                fresh = null;
            }
        }
    }
}
