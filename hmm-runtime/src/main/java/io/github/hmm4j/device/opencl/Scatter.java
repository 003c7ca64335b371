package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.HmmException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Says for one lane what [RunKernel] carries, and finds out, once and when there is need, whether it carries right and what it costs.
///
/// A kernel moves bytes within the device, which takes less time than the bus does beside it. So what counts is commands: one
/// for each piece costs so much, a kernel costs so much for up to [RunKernel#RUNS] of them. Both are measured, with as many
/// transfers under way as there are slots, as it is when much moves. While a kernel of the program runs, nothing is carried by one of ours: it might stand behind that, where copies would not.
///
/// Used under the lock of the lane.
final class Scatter {

    private static final Logger LOG = LoggerFactory.getLogger(Scatter.class);

    /// Pieces that have gone by commands of their own before it is worth to compile something.
    private static final int WORTH_A_TRIAL = 256;
    /// So few in one slot do not count for that.
    private static final int FEW = 8;
    /// More than one: a driver that keeps copies of memory is right the first time and stale the next.
    private static final int ROUNDS = 6;
    private static final long BLOCK = RunKernel.BLOCK_BYTES;
    private static final byte UNTOUCHED = 0x5A;

    /// Carries pieces, a slot of them at a time, from the beginning to the end, over a lane where nothing else is under way.
    @FunctionalInterface
    interface Carrier {
        /// @param kernel null: by a command for each
        void carry(List<List<StagedPiece>> slots, @Nullable RunKernel kernel);
    }

    private final ClDevice device;
    private final ScatterMode mode;
    private boolean tried;
    private long seen; // pieces, until it is tried
    private @Nullable RunKernel kernel; // also after it was given up: commands of it may be under way
    private boolean usable;
    private double commandNanos;
    private double kernelNanos;

    Scatter(ClDevice device, ScatterMode mode) {
        this.device = device;
        this.mode = mode;
    }

    /// What is to carry the pieces of one slot; null for a command for each.
    @Nullable RunKernel kernelFor(List<StagedPiece> pieces) {
        return usable && pieces.size() > 1 && isWorthIt(pieces.size()) && RunKernel.fits(pieces) ? kernel : null;
    }

    private boolean isWorthIt(int pieces) {
        return mode == ScatterMode.KERNEL || (RunKernel.commands(pieces) * kernelNanos < pieces * commandNanos && device.compute().isIdle());
    }

    /// Whether so much has been moved in pieces, these included, that it should be tried.
    boolean isToBeTried(List<List<StagedPiece>> slots) {
        if (tried || mode == ScatterMode.COMMANDS) {
            return false;
        }
        for (List<StagedPiece> pieces : slots) {
            seen += mode == ScatterMode.KERNEL && pieces.size() > 1 ? WORTH_A_TRIAL : pieces.size() < FEW ? 0 : pieces.size();
        }
        return seen >= WORTH_A_TRIAL;
    }

    /// Whatever comes of it, the lane is as it was.
    void tryOut(Carrier carrier) {
        tried = true;
        try {
            RunKernel made = device.keep(new RunKernel(device));
            kernel = made;
            tryOut(carrier, made);
        } catch (HmmException e) {
            giveUp(e);
        } catch (OutOfMemoryError e) { // the Java heap is full: later, perhaps
            tried = false;
            seen = 0;
            close();
        }
    }

    /// Everything goes by commands from now on.
    void giveUp(HmmException why) {
        usable = false;
        LOG.debug("pieces that lie apart are carried by a command for each: device={}", device, why);
    }

    private void tryOut(Carrier carrier, RunKernel made) {
        try (Arena arena = Arena.ofConfined(); ClMemory memory = device.keep(ClMemory.scratch(device, 2 * RunKernel.RUNS * BLOCK))) {
            MemorySegment host = arena.allocate(RunKernel.RUNS * BLOCK, BLOCK);
            MemorySegment there = arena.allocate(memory.lengthBytes(), BLOCK);
            List<StagedPiece> apart = new ArrayList<>(RunKernel.RUNS);
            for (long i = 0; i < RunKernel.RUNS; i++) {
                apart.add(new StagedPiece(host.address() + i * BLOCK, memory, 2 * i * BLOCK, i * BLOCK, BLOCK));
            }
            List<StagedPiece> together = List.of(new StagedPiece(host.address(), memory, 0, 0, host.byteSize()));
            double oneNanos = Double.MAX_VALUE;
            double apartNanos = Double.MAX_VALUE;
            double byKernelNanos = Double.MAX_VALUE;
            for (int round = 0; round < ROUNDS; round++) {
                if (mode == ScatterMode.AUTO) {
                    oneNanos = Math.min(oneNanos, nanos(carrier, together, null));
                    apartNanos = Math.min(apartNanos, nanos(carrier, apart, null));
                }
                prepare(round, host, memory, there);
                byKernelNanos = Math.min(byKernelNanos, nanos(carrier, apart, made));
                if (!isRight(host, memory, there)) {
                    LOG.warn("pieces that lie apart are carried by a command for each, since a kernel carries them wrong: device={}, round={}", device, round);
                    return;
                }
            }
            commandNanos = Math.max(0, (apartNanos - oneNanos) / (RunKernel.RUNS - 1));
            kernelNanos = Math.max(1, byKernelNanos - oneNanos);
            usable = true;
            LOG.debug("pieces that lie apart: device={}, a command for each costs {} us, a kernel for {} costs {} us", device,
                    commandNanos / 1e3, RunKernel.RUNS, kernelNanos / 1e3);
        }
    }

    private static double nanos(Carrier carrier, List<StagedPiece> pieces, @Nullable RunKernel kernel) {
        long start = System.nanoTime();
        carrier.carry(Collections.nCopies(StagedCopyEngine.SLOTS, pieces), kernel);
        return (double) (System.nanoTime() - start) / StagedCopyEngine.SLOTS;
    }

    /// Noise where the pieces come from; where they go to is as it was, all over.
    private static void prepare(int round, MemorySegment host, ClMemory memory, MemorySegment there) {
        byte[] noise = new byte[Math.toIntExact(host.byteSize())];
        new SplittableRandom(round).nextBytes(noise);
        host.copyFrom(MemorySegment.ofArray(noise));
        there.fill(UNTOUCHED);
        memory.write(0, there);
    }

    private static boolean isRight(MemorySegment host, ClMemory memory, MemorySegment there) {
        memory.read(0, there);
        for (long i = 0; i < RunKernel.RUNS; i++) {
            if (there.asSlice(2 * i * BLOCK, BLOCK).mismatch(host.asSlice(i * BLOCK, BLOCK)) >= 0 || !isUntouched(there.asSlice((2 * i + 1) * BLOCK, BLOCK))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isUntouched(MemorySegment gap) {
        return gap.get(ValueLayout.JAVA_BYTE, 0) == UNTOUCHED && gap.asSlice(1).mismatch(gap.asSlice(0, BLOCK - 1)) < 0;
    }

    /// What the copies' queue gets from now on comes after what a kernel carries.
    void orderCopiesBehind() {
        if (kernel != null) {
            kernel.orderCopiesBehind();
        }
    }

    /// Waits for what its kernel does, on the way out of a failure.
    void finishSurely() {
        if (kernel != null) {
            kernel.finishSurely();
        }
    }

    void close() {
        RunKernel last = kernel;
        kernel = null;
        usable = false;
        if (last != null) {
            last.close();
        }
    }
}
