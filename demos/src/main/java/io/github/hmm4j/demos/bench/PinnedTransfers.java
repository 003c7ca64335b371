package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import java.lang.foreign.MemorySegment;

/// Transfers of 2 MiB between pinned host memory and a buffer, one behind the other: as fast as the bus goes. What they move is of no interest.
///
/// The floor of migrations on a device with memory of its own. Belongs to a [BareOpenCl]. Used by one thread.
final class PinnedTransfers {
    private static final long PIECE_BYTES = ByteSize.mib(2);
    private static final int PIECES = 4;

    private final BareOpenCl bare;
    private final MemorySegment pinned;
    private final long buffer;

    PinnedTransfers(BareOpenCl bare) {
        this.bare = bare;
        pinned = bare.pinned(PIECES * PIECE_BYTES);
        pinned.fill((byte) 1);
        buffer = bare.buffer(PIECES * PIECE_BYTES);
    }

    /// @return nanoseconds until all of it is there
    long toDevice(long lengthBytes) {
        return move(lengthBytes, true);
    }

    /// @return nanoseconds until all of it is there
    long toHost(long lengthBytes) {
        return move(lengthBytes, false);
    }

    private long move(long lengthBytes, boolean toDevice) {
        long start = System.nanoTime();
        for (long done = 0; done < lengthBytes; done += PIECE_BYTES) {
            long place = done % (PIECES * PIECE_BYTES);
            long bytes = Math.min(PIECE_BYTES, lengthBytes - done);
            if (toDevice) {
                bare.api().enqueueWrite(bare.queue(), buffer, place, bytes, pinned.address() + place, false);
            } else {
                bare.api().enqueueRead(bare.queue(), buffer, place, bytes, pinned.address() + place, false);
            }
        }
        bare.finish();
        return System.nanoTime() - start;
    }
}
