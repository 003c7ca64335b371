package io.github.hmm4j.device.opencl;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/// Copies between host pages and a staging slot, by several threads where there is enough to share.
final class HostCopier implements AutoCloseable {

    /// Less than this is not worth waking a thread for.
    private static final long BYTES_PER_THREAD = 512 << 10;
    /// All of memory: the addresses come from mappings that outlive the engine.
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final int threads;
    private final ExecutorService helpers;

    /// @param threads how many copy at most, the caller among them
    HostCopier(int threads) {
        this.threads = threads;
        // Threads are made when first needed, so one that copies little has none.
        this.helpers = Executors.newFixedThreadPool(Math.max(1, threads - 1),
                Thread.ofPlatform().daemon().name("hmm-copy-", 0).factory());
    }

    /// Host pages to slot.
    void gather(List<StagedPiece> pieces, long slotAddress) {
        share(pieces, (piece, skip, bytes) ->
                copy(piece.hostAddressBytes() + skip, slotAddress + piece.slotOffsetBytes() + skip, bytes));
    }

    /// Slot to host pages.
    void scatter(List<StagedPiece> pieces, long slotAddress) {
        share(pieces, (piece, skip, bytes) ->
                copy(slotAddress + piece.slotOffsetBytes() + skip, piece.hostAddressBytes() + skip, bytes));
    }

    @Override
    public void close() {
        helpers.close();
    }

    /// Cuts the slot into equal shares, one for each thread; pieces lie in the slot without gaps.
    private void share(List<StagedPiece> pieces, Part part) {
        long total = StagedPiece.end(pieces);
        int shares = Math.clamp(total / BYTES_PER_THREAD, 1, threads);
        List<CompletableFuture<Void>> others = IntStream.range(1, shares)
                .mapToObj(share -> CompletableFuture.runAsync(
                        () -> copyShare(pieces, total * share / shares, total * (share + 1) / shares, part), helpers))
                .toList();
        try {
            copyShare(pieces, 0, total / shares, part);
        } finally {
            // Even if ours failed: nobody may still copy when this returns.
            others.forEach(CompletableFuture::join);
        }
    }

    private static void copyShare(List<StagedPiece> pieces, long from, long to, Part part) {
        for (StagedPiece piece : pieces) {
            long start = Math.max(from, piece.slotOffsetBytes());
            long end = Math.min(to, piece.slotOffsetBytes() + piece.lengthBytes());
            if (start < end) {
                part.copy(piece, start - piece.slotOffsetBytes(), end - start);
            }
        }
    }

    static void copy(long source, long target, long bytes) {
        MemorySegment.copy(MEMORY, source, MEMORY, target, bytes);
    }

    @FunctionalInterface
    private interface Part {
        void copy(StagedPiece piece, long skipBytes, long bytes);
    }
}
