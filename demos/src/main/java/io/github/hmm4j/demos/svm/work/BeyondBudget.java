package io.github.hmm4j.demos.svm.work;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Argument;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/// Eight blocks, of which device memory may hold four at a time; two passes of a kernel over all of them, and the host looks at each.
///
/// The strategies it is opened with must know of the budget: a managed heap keeps it, and explicit copies have one buffer for all. What a driver does with shared virtual memory is its own matter.
final class BeyondBudget implements Work {
    private static final int BLOCKS = 8;
    private static final int PASSES = 2;

    @Override
    public Workload workload() {
        return Workload.BEYOND_BUDGET;
    }

    @Override
    public List<Long> sizes(List<Long> sizes, long pageBytes) {
        return sizes.stream().filter(size -> size >= BLOCKS * pageBytes).toList(); // a block takes a page at least
    }

    @Override
    public Task open(OpenStrategy strategy, long sizeBytes) {
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < BLOCKS; i++) {
            blocks.add(strategy.allocate(sizeBytes / BLOCKS));
            Words.ramp(blocks.getLast(), i);
        }
        return new Open(strategy, blocks);
    }

    private static final class Open implements Task {
        private final OpenStrategy strategy;
        private final List<Block> blocks;
        private final long n;
        private long steps;
        private final long[] firstWords = new long[BLOCKS];

        Open(OpenStrategy strategy, List<Block> blocks) {
            this.strategy = strategy;
            this.blocks = blocks;
            n = Words.count(blocks.getFirst());
            for (int i = 0; i < BLOCKS; i++) {
                firstWords[i] = i;
            }
        }

        @Override
        public void run(long run, LongConsumer latency) {
            for (int pass = 0; pass < PASSES; pass++) {
                for (Block block : blocks) {
                    strategy.launch(1, "share_step", n, new Argument.Part(block, 0, block.lengthBytes()), Argument.number(n));
                }
            }
            steps += PASSES;
            for (int i = 0; i < BLOCKS; i++) {
                firstWords[i] = Words.steps(firstWords[i], PASSES);
                WrongResultException.check("first word of a block", i, Words.read(blocks.get(i), 0), firstWords[i]);
            }
        }

        @Override
        public void verify() {
            for (int block = 0; block < BLOCKS; block++) {
                long seed = block;
                Words.verify("block " + block, blocks.get(block), i -> Words.steps(seed + i, steps));
            }
        }

        @Override
        public void close() {
            blocks.forEach(Block::close);
        }
    }
}
