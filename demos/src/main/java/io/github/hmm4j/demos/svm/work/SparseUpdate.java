package io.github.hmm4j.demos.svm.work;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Access;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.HostUse;
import java.util.function.LongConsumer;

/// The host changes a word in one page of a hundred, other pages each time, and says so page by page; the device adds everything up.
final class SparseUpdate implements Work {
    private static final long ONE_IN = 100;

    @Override
    public Workload workload() {
        return Workload.SPARSE_UPDATE;
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
        private final long[] firstWords;
        private long sum;

        Open(Block data, Total total) {
            this.data = data;
            this.total = total;
            firstWords = new long[Math.toIntExact(data.lengthBytes() / Words.PAGE_BYTES)];
            for (int page = 0; page < firstWords.length; page++) {
                firstWords[page] = page * Words.PAGE_WORDS;
            }
            sum = Words.sumOfRamp(0, Words.count(data));
        }

        @Override
        public void run(long run, LongConsumer latency) {
            for (long page = run % Math.min(ONE_IN, firstWords.length); page < firstWords.length; page += ONE_IN) {
                long value = run * 1_000_003 + page;
                try (HostUse use = data.host(page * Words.PAGE_BYTES, Words.PAGE_BYTES, Access.UPDATE)) {
                    use.segment().set(JAVA_LONG, 0, value);
                }
                sum += value - firstWords[(int) page];
                firstWords[(int) page] = value;
            }
            WrongResultException.check("total", run, total.of(data), sum);
        }

        @Override
        public void verify() {
            Words.verify("data", data, i -> i % Words.PAGE_WORDS == 0 ? firstWords[(int) (i / Words.PAGE_WORDS)] : i);
        }

        @Override
        public void close() {
            data.close();
            total.close();
        }
    }
}
