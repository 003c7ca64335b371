package io.github.hmm4j.demos.svm.work;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.Conversing;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Access;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.HostUse;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;

/// The host asks and a running kernel answers, a thousand times, each through a flag on a line of its own.
final class Handshake implements Work {
    private static final int ROUNDS = 1000;
    private static final long ANSWER_OFFSET = 64; // bytes
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long PATIENCE_LOOKS = 1_000_000_000;
    private static final VarHandle FLAG = JAVA_INT.varHandle();

    @Override
    public Workload workload() {
        return Workload.HANDSHAKE;
    }

    /// It has no data, so one size is enough.
    @Override
    public List<Long> sizes(List<Long> sizes, long pageBytes) {
        return sizes.subList(0, 1);
    }

    @Override
    public Optional<String> impossible(OpenStrategy strategy) {
        return strategy.conversing().isPresent() ? Optional.empty()
            : Optional.of("not possible with " + strategy.strategy().title() + ": host and device do not see each other's stores while a kernel runs");
    }

    @Override
    public Task open(OpenStrategy strategy, long sizeBytes) {
        return new Open(strategy.conversing().orElseThrow(), strategy.allocate(Words.PAGE_BYTES), strategy.allocate(Words.PAGE_BYTES));
    }

    private static final class Open implements Task {
        private final Conversing strategy;
        private final Block flags;
        private final Block ended;

        Open(Conversing strategy, Block flags, Block ended) {
            this.strategy = strategy;
            this.flags = flags;
            this.ended = ended;
        }

        @Override
        public int operations() {
            return ROUNDS;
        }

        @Override
        public void prepare(long run) {
            try (HostUse use = flags.host(0, Words.PAGE_BYTES, Access.OVERWRITE); HostUse end = ended.host(0, Words.PAGE_BYTES, Access.OVERWRITE)) {
                use.segment().fill((byte) 0);
                end.segment().fill((byte) -1);
            }
        }

        @Override
        public void run(long run, LongConsumer latency) {
            try (HostUse use = flags.host(0, Words.PAGE_BYTES, Access.UPDATE)) {
                try (var _ = strategy.converse(flags, ended, ROUNDS, PATIENCE_LOOKS)) {
                    talk(use.segment(), latency);
                }
            }
            verify();
        }

        private static void talk(MemorySegment flags, LongConsumer latency) {
            for (int round = 1; round <= ROUNDS; round++) {
                long start = System.nanoTime();
                FLAG.setRelease(flags, 0L, round);
                while ((int) FLAG.getAcquire(flags, ANSWER_OFFSET) != round) {
                    Thread.onSpinWait();
                    if (System.nanoTime() - start > PATIENCE_NANOS) {
                        FLAG.setRelease(flags, 0L, -1); // so that the kernel gives up, too
                        throw new WrongResultException("no answer", round, (int) FLAG.getAcquire(flags, ANSWER_OFFSET), round);
                    }
                }
                latency.accept(System.nanoTime() - start);
            }
        }

        @Override
        public void verify() {
            try (HostUse use = ended.host(0, Words.PAGE_BYTES, Access.READ)) {
                WrongResultException.check("rounds answered", 0, use.segment().get(JAVA_INT, 0), ROUNDS);
            }
        }

        @Override
        public void close() {
            flags.close();
            ended.close();
        }
    }
}
