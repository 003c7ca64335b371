package io.github.hmm4j.demos.svm.measure;

import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.strategy.Conversing;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.work.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A strategy as a workload sees it: until its task is open it notes what that allocates, so that a workload that gets only half of its memory leaves nothing behind for the others to miss.
final class OpeningTask implements OpenStrategy {
    private final OpenStrategy strategy;
    private @Nullable List<Block> allocated = new ArrayList<>(); // null: the task owns its blocks

    private OpeningTask(OpenStrategy strategy) {
        this.strategy = strategy;
    }

    static Work.Task open(Work work, OpenStrategy strategy, long sizeBytes) {
        OpeningTask opening = new OpeningTask(strategy);
        try {
            Work.Task task = work.open(opening, sizeBytes);
            opening.allocated = null;
            return task;
        } catch (RuntimeException | Error e) {
            opening.free(e);
            throw e;
        }
    }

    private void free(Throwable failure) {
        for (Block block : allocated == null ? List.<Block>of() : allocated) {
            try {
                block.close();
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
    }

    @Override
    public Strategy strategy() {
        return strategy.strategy();
    }

    @Override
    public Block allocate(long lengthBytes) {
        Block block = strategy.allocate(lengthBytes);
        if (allocated != null) {
            allocated.add(block);
        }
        return block;
    }

    @Override
    public void launch(int times, String kernel, long workItems, Argument... arguments) {
        strategy.launch(times, kernel, workItems, arguments);
    }

    @Override
    public Taken take() {
        return strategy.take();
    }

    @Override
    public Optional<Conversing> conversing() {
        return strategy.conversing();
    }

    @Override
    public void trim() {
        strategy.trim();
    }

    @Override
    public void close() {
        strategy.close();
    }
}
