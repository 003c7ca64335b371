package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.demos.svm.Strategy;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// One strategy on one device, ready to work.
///
/// It does what a program does that has chosen it, and no more: the host says which bytes it is going to touch ([Block#host]), launches say what they use,
/// and whatever the strategy needs to do in between it does there. Blocks and this belong to one thread.
public interface OpenStrategy extends AutoCloseable {
    Strategy strategy();

    /// Memory for both sides; its contents are undefined.
    ///
    /// @throws io.github.hmm4j.error.HmmException if the device refuses
    Block allocate(long lengthBytes);

    /// Enqueues a kernel of `sharing.cl` so many times with the same arguments, and waits for all of them.
    ///
    /// @param workItems in one dimension
    void launch(int times, String kernel, long workItems, Argument... arguments);

    /// What was copied and computed since the last call.
    Taken take();

    /// This as one with which host and running kernels see each other's stores; empty if they do not.
    default Optional<Conversing> conversing() {
        return Optional.empty();
    }

    /// Gives memory back that is kept for later.
    default void trim() {}

    @Override
    void close();

    /// @param bytesToDevice copied to the device by commands
    /// @param bytesToHost   copied to the host, by commands or for page faults
    /// @param kernelNanos   that kernels took by the device's own clock; negative if it has none
    record Taken(long bytesToDevice, long bytesToHost, long kernelNanos) {}

    /// Memory that the host and the device use.
    interface Block extends AutoCloseable {
        long lengthBytes();

        /// Opens a range to the host; between launches only. Ranges that are open at the same time must not overlap.
        HostUse host(long offsetBytes, long lengthBytes, Access access);

        /// Frees it. Nothing uses it any more.
        @Override
        void close();
    }

    /// A range while the host works on it.
    interface HostUse extends AutoCloseable {
        MemorySegment segment();

        /// The device may have it again.
        @Override
        void close();
    }

    /// What the host does with a range.
    enum Access {
        READ,
        /// All of it, without looking at what was there.
        OVERWRITE,
        /// Some of it; the rest stays.
        UPDATE
    }

    /// What a kernel does with its argument.
    enum Intent { IN, OUT, IN_OUT }

    /// An argument of a kernel.
    sealed interface Argument {
        /// A pointer to a whole block.
        record Whole(Block block, Intent intent) implements Argument {}

        /// A part of a block that the kernel reads and writes: **two** parameters, a pointer and the index of the first word of 8 bytes from there.
        record Part(Block block, long offsetBytes, long lengthBytes) implements Argument {}

        /// A number of 8 bytes.
        record Value(long value) implements Argument {}

        static Argument in(Block block) {
            return new Whole(block, Intent.IN);
        }

        static Argument out(Block block) {
            return new Whole(block, Intent.OUT);
        }

        static Argument inOut(Block block) {
            return new Whole(block, Intent.IN_OUT);
        }

        static Argument number(long value) {
            return new Value(value);
        }
    }
}
