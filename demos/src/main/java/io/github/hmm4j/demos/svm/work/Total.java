package io.github.hmm4j.demos.svm.work;

import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Argument;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;

/// Adds up a block on the device, in two kernels; eight bytes come back.
final class Total implements AutoCloseable {
    private static final long WORK_ITEMS = 4096;

    private final OpenStrategy strategy;
    private final Block partial;
    private final Block total;

    Total(OpenStrategy strategy) {
        this.strategy = strategy;
        partial = strategy.allocate(WORK_ITEMS * Long.BYTES);
        total = strategy.allocate(Words.PAGE_BYTES);
    }

    long of(Block data) {
        strategy.launch(1, "share_sum", WORK_ITEMS, Argument.in(data), Argument.out(partial), Argument.number(Words.count(data)));
        strategy.launch(1, "share_total", 1, Argument.in(partial), Argument.inOut(total), Argument.number(WORK_ITEMS));
        return Words.read(total, 0);
    }

    @Override
    public void close() {
        partial.close();
        total.close();
    }
}
