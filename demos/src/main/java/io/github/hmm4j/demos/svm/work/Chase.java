package io.github.hmm4j.demos.svm.work;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Access;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Argument;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.HostUse;
import java.util.function.LongConsumer;

/// A cycle through all lines of 64 bytes in an order that no prefetcher guesses. The host builds it once; one work-item follows it.
///
/// Links are numbers of lines, not addresses, so that the kernel is the same for strategies that give the two sides different addresses. The order is a linear congruential generator
/// of full period modulo a power of two (Knuth, The Art of Computer Programming 2, 3.2.1.2).
final class Chase implements Work {
    private static final long LINE_BYTES = 64;
    private static final long MOST_STEPS = 20_000;

    @Override
    public Workload workload() {
        return Workload.CHASE;
    }

    @Override
    public Task open(OpenStrategy strategy, long sizeBytes) {
        return new Open(strategy, strategy.allocate(sizeBytes), strategy.allocate(Words.PAGE_BYTES));
    }

    private static final class Open implements Task {
        private final OpenStrategy strategy;
        private final Block chain;
        private final Block end;
        private final long lines;
        private final long steps;
        private long expected;

        Open(OpenStrategy strategy, Block chain, Block end) {
            this.strategy = strategy;
            this.chain = chain;
            this.end = end;
            lines = Long.highestOneBit(chain.lengthBytes() / LINE_BYTES);
            steps = Math.min(lines, MOST_STEPS);
            try (HostUse use = chain.host(0, chain.lengthBytes(), Access.OVERWRITE)) {
                use.segment().fill((byte) 0);
                for (long line = 0; line < lines; line++) {
                    use.segment().set(JAVA_LONG, line * LINE_BYTES, next(line));
                }
            }
        }

        private long next(long line) {
            return line * 1664525 + 1013904223 & lines - 1;
        }

        @Override
        public void prepare(long run) {
            expected = run % lines;
            for (long i = 0; i < steps; i++) {
                expected = next(expected);
            }
        }

        @Override
        public void run(long run, LongConsumer latency) {
            strategy.launch(1, "share_chase", 1, Argument.in(chain), Argument.inOut(end), Argument.number(run % lines), Argument.number(steps));
            WrongResultException.check("end of the chain", run, Words.read(end, 0), expected);
        }

        @Override
        public void verify() {
            Words.verify("chain", chain, i -> i % (LINE_BYTES / Long.BYTES) == 0 && i / (LINE_BYTES / Long.BYTES) < lines
                ? next(i / (LINE_BYTES / Long.BYTES)) : 0);
        }

        @Override
        public void close() {
            chain.close();
            end.close();
        }
    }
}
