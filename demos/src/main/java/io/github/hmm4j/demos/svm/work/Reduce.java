package io.github.hmm4j.demos.svm.work;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import java.util.function.LongConsumer;

/// The host changes a word of every page, the device adds everything up.
final class Reduce implements Work {
    @Override
    public Workload workload() {
        return Workload.REDUCE;
    }

    @Override
    public Task open(OpenStrategy strategy, long sizeBytes) {
        Block data = strategy.allocate(sizeBytes);
        Words.ramp(data, 0);
        return new Open(data, new Total(strategy));
    }

    private static final class Open implements Task {
        private final Block data;
        private final Total total;
        private final long pages;
        private long value;

        Open(Block data, Total total) {
            this.data = data;
            this.total = total;
            pages = data.lengthBytes() / Words.PAGE_BYTES;
        }

        @Override
        public void run(long run, LongConsumer latency) {
            value = 31 * run;
            Words.touchEachPage(data, value);
            WrongResultException.check("total", run, total.of(data), Words.sumOfTouched(value, pages));
        }

        @Override
        public void verify() {
            Words.verify("data", data, i -> i % Words.PAGE_WORDS == 0 ? value + i / Words.PAGE_WORDS : i);
        }

        @Override
        public void close() {
            data.close();
            total.close();
        }
    }
}
