package io.github.hmm4j.demos.svm.work;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Access;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Argument;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.HostUse;
import java.util.function.LongConsumer;

/// The host changes a word of every page, the device reads one page in so many, and the host looks at a sum for each.
record SparseRead(Workload workload, int percent) implements Work {
    @Override
    public Task open(OpenStrategy strategy, long sizeBytes) {
        Block data = strategy.allocate(sizeBytes);
        Words.ramp(data, 0);
        long pages = sizeBytes / Words.PAGE_BYTES;
        long chosen = Math.max(1, pages * percent / 100);
        return new Open(strategy, data, strategy.allocate(chosen * Long.BYTES), pages / chosen);
    }

    private static final class Open implements Task {
        private final OpenStrategy strategy;
        private final Block data;
        private final Block sums;
        private final long apart;
        private long value;

        Open(OpenStrategy strategy, Block data, Block sums, long apart) {
            this.strategy = strategy;
            this.data = data;
            this.sums = sums;
            this.apart = apart;
        }

        @Override
        public void run(long run, LongConsumer latency) {
            value = 31 * run;
            Words.touchEachPage(data, value);
            long from = run % apart;
            long chosen = Words.count(sums);
            strategy.launch(1, "share_pages", chosen, Argument.in(data), Argument.out(sums), Argument.number(from), Argument.number(apart),
                Argument.number(chosen));
            try (HostUse use = sums.host(0, sums.lengthBytes(), Access.READ)) {
                for (long k = 0; k < chosen; k++) {
                    long page = from + k * apart;
                    long expected = Words.sumOfRamp(page * Words.PAGE_WORDS, Words.PAGE_WORDS) - page * Words.PAGE_WORDS + value + page;
                    WrongResultException.check("sum of a page", page, use.segment().getAtIndex(JAVA_LONG, k), expected);
                }
            }
        }

        @Override
        public void verify() {
            Words.verify("data", data, i -> i % Words.PAGE_WORDS == 0 ? value + i / Words.PAGE_WORDS : i);
        }

        @Override
        public void close() {
            data.close();
            sums.close();
        }
    }
}
