package io.github.hmm4j.demos.svm.work;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Access;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Argument;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.HostUse;
import java.util.function.LongConsumer;

/// The host produces a page, the device transforms it in place, the host consumes it; then the same with a page elsewhere.
final class PingPong implements Work {
    private static final long PRIME = 7919; // pages from one turn to the next, so that neighbours do not follow each other

    @Override
    public Workload workload() {
        return Workload.PING_PONG;
    }

    @Override
    public Task open(OpenStrategy strategy, long sizeBytes) {
        Block data = strategy.allocate(sizeBytes);
        Words.ramp(data, 0);
        return new Open(strategy, data);
    }

    private static final class Open implements Task {
        private final OpenStrategy strategy;
        private final Block data;
        private final long[] seeds; // of each page when it was last produced; -1 before

        Open(OpenStrategy strategy, Block data) {
            this.strategy = strategy;
            this.data = data;
            seeds = new long[Math.toIntExact(data.lengthBytes() / Words.PAGE_BYTES)];
            java.util.Arrays.fill(seeds, -1);
        }

        @Override
        public void run(long run, LongConsumer latency) {
            int page = (int) (run * PRIME % seeds.length);
            long offset = page * Words.PAGE_BYTES;
            long start = System.nanoTime();
            try (HostUse use = data.host(offset, Words.PAGE_BYTES, Access.OVERWRITE)) {
                for (long i = 0; i < Words.PAGE_WORDS; i++) {
                    use.segment().setAtIndex(JAVA_LONG, i, run + i);
                }
            }
            strategy.launch(1, "share_step", Words.PAGE_WORDS, new Argument.Part(data, offset, Words.PAGE_BYTES), Argument.number(Words.PAGE_WORDS));
            long sum = 0;
            try (HostUse use = data.host(offset, Words.PAGE_BYTES, Access.READ)) {
                for (long i = 0; i < Words.PAGE_WORDS; i++) {
                    sum += use.segment().getAtIndex(JAVA_LONG, i);
                }
            }
            latency.accept(System.nanoTime() - start);
            seeds[page] = run;
            WrongResultException.check("sum of a page", page, sum, Words.sumAfterStep(Words.sumOfRamp(run, Words.PAGE_WORDS), Words.PAGE_WORDS));
        }

        @Override
        public void verify() {
            Words.verify("data", data, i -> {
                long seed = seeds[(int) (i / Words.PAGE_WORDS)];
                return seed < 0 ? i : Words.step(seed + i % Words.PAGE_WORDS);
            });
        }

        @Override
        public void close() {
            data.close();
        }
    }
}
