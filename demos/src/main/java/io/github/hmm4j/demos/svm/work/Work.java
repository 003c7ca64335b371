package io.github.hmm4j.demos.svm.work;

import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/// One workload.
public interface Work {
    Workload workload();

    /// Those of `sizes` at which the question makes sense.
    ///
    /// @param pageBytes of managed heaps
    default List<Long> sizes(List<Long> sizes, long pageBytes) {
        return sizes;
    }

    /// Why a strategy cannot do this, as a sentence that ends its row; empty if it can.
    default Optional<String> impossible(OpenStrategy strategy) {
        return Optional.empty();
    }

    /// Allocates what is needed and fills it.
    ///
    /// @param sizeBytes all data together, a multiple of 4 KiB
    Task open(OpenStrategy strategy, long sizeBytes);

    /// One workload with one strategy and its data. One thread.
    interface Task extends AutoCloseable {
        /// How many operations one run is; figures are per operation.
        default int operations() {
            return 1;
        }

        /// Before a run; not timed.
        default void prepare(long run) {}

        /// What is timed: the host's part and the device's.
        ///
        /// @param latency takes the nanoseconds of single operations, where those are of interest
        /// @throws WrongResultException if what came back is not what must come back
        void run(long run, LongConsumer latency);

        /// After a run; not timed.
        default void after(long run) {}

        /// Compares every byte with what it must be.
        ///
        /// @throws WrongResultException if one differs
        void verify();

        @Override
        void close();
    }
}
