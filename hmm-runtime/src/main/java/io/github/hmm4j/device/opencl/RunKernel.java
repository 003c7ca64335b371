package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.NativeGather;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// The kernel `scatter_runs` of `runs.cl` for a lane towards the device: carries pieces from packed memory to their places, many by one command. What comes home native code carries ([NativeGather]).
///
/// A command is given all of the memory in which its places lie, and in a value where they are: nothing has to be made for it. Kernels of the program may use other bytes of that memory meanwhile, as they may beside
/// a copy.
///
/// Used under the lock of the lane.
final class RunKernel extends QueuedKernel {

    /// Pieces of one command; as `runs.cl` has it.
    static final int RUNS = 64;
    /// What pieces and their places are multiples of; as `runs.cl` has it.
    static final int BLOCK_BYTES = 4096;
    private static final int FIRST_PLACE = RUNS + 1; // in struct runs

    private final MemorySegment runs = Arena.ofAuto().allocate(ValueLayout.JAVA_INT, 2L * RUNS + 1); // struct runs

    RunKernel(ClDevice device) {
        super(device, "runs.cl", "scatter_runs");
    }

    /// Whether it can carry these.
    static boolean fits(List<StagedPiece> pieces) {
        long all = 0;
        for (StagedPiece piece : pieces) {
            all |= piece.offsetBytes() | piece.lengthBytes();
        }
        return all % BLOCK_BYTES == 0;
    }

    /// How many commands it takes for so many pieces of one memory.
    static int commands(int pieces) {
        return Math.ceilDiv(pieces, RUNS);
    }

    /// What is enqueued from now on begins when a command has ended that is in the copies' queue.
    void after(long event) {
        api.flush(device.copy().handle());
        api.enqueueWait(queue().handle(), event);
    }

    /// What the copies' queue gets from now on comes after all of these.
    void orderCopiesBehind() {
        long marker = api.enqueueMarker(queue().handle());
        try {
            api.flush(queue().handle());
            api.enqueueWait(device.copy().handle(), marker);
        } finally {
            api.releaseEvent(marker);
        }
    }

    /// Pieces as they go by one command each: of one memory.
    static List<List<StagedPiece>> groups(List<StagedPiece> pieces) {
        List<List<StagedPiece>> groups = new ArrayList<>(commands(pieces.size()));
        for (int first = 0; first < pieces.size(); ) {
            int end = first + 1;
            while (end < pieces.size() && end < first + RUNS && pieces.get(end).memory().handle() == pieces.get(first).memory().handle()) {
                end++;
            }
            groups.add(pieces.subList(first, end));
            first = end;
        }
        return groups;
    }

    /// Enqueues it for one group and flushes. It is added to `commands` as soon as it is in the queue.
    ///
    /// @param packed the buffer in which the pieces lie, each where it lies in its slot
    void enqueue(long packed, List<StagedPiece> pieces, StagedCommands commands) {
        enqueueUnflushed(packed, pieces, commands);
        api.flush(queue().handle());
    }

    private void enqueueUnflushed(long packed, List<StagedPiece> pieces, StagedCommands commands) {
        for (int run = 0; run < RUNS; run++) {
            boolean isThere = run < pieces.size();
            setBlock(run, isThere ? pieces.get(run).slotOffsetBytes() : StagedPiece.end(pieces));
            setBlock(FIRST_PLACE + run, isThere ? pieces.get(run).offsetBytes() : 0);
        }
        setBlock(RUNS, StagedPiece.end(pieces));
        api.setMemory(handle(), 0, packed);
        api.setValue(handle(), 1, runs);
        api.setMemory(handle(), 2, pieces.getFirst().memory().handle());
        long bytes = StagedPiece.end(pieces) - pieces.getFirst().slotOffsetBytes();
        commands.add(api.enqueueKernel(queue().handle(), handle(), new long[] {bytes / BLOCK_BYTES * items()}, new long[] {items()}), 0);
    }

    private void setBlock(int index, long offsetBytes) {
        runs.setAtIndex(ValueLayout.JAVA_INT, index, Math.toIntExact(offsetBytes / BLOCK_BYTES));
    }

    /// Waits for all, on the way out of a failure.
    void finishSurely() {
        queue().finishSurely();
    }
}
