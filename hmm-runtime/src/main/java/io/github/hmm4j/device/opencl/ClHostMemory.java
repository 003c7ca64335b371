package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceMemory;
import java.util.HashMap;
import java.util.Map;

/// Host memory of somebody else that kernels are given where it is, wrapped in pieces as large as the driver allows,
/// each when something in it is first asked for. Wrapping touches nothing.
///
/// What lies in one piece is a part of its buffer, so that the driver knows what overlaps; what straddles two is
/// wrapped once more.
final class ClHostMemory extends Owned implements DeviceMemory {

    private static final long PIECE_ALIGNMENT_BYTES = 2L << 20;

    private final long addressBytes;
    private final long lengthBytes;
    private final long pieceBytes;
    private final Map<Long, ClMemory> pieces = new HashMap<>();

    ClHostMemory(ClDevice device, long addressBytes, long lengthBytes) {
        super(device);
        this.addressBytes = addressBytes;
        this.lengthBytes = lengthBytes;
        long most = device.info().maxAllocationBytes();
        pieceBytes = lengthBytes <= most ? lengthBytes
                : Math.max(PIECE_ALIGNMENT_BYTES, most / PIECE_ALIGNMENT_BYTES * PIECE_ALIGNMENT_BYTES);
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    @Override
    public synchronized DeviceMemory slice(long offsetBytes, long sliceBytes) {
        if (isClosed()) {
            throw new IllegalStateException("host memory is closed: " + this);
        }
        if (offsetBytes < 0 || sliceBytes <= 0 || sliceBytes > lengthBytes - offsetBytes) {
            throw new IllegalArgumentException("offsetBytes=" + offsetBytes + ", lengthBytes=" + sliceBytes
                    + ", must be a range of at least one byte inside " + this);
        }
        long piece = offsetBytes / pieceBytes;
        long inPiece = offsetBytes % pieceBytes;
        return inPiece + sliceBytes <= pieceBytes
                ? pieces.computeIfAbsent(piece, this::wrap).slice(inPiece, sliceBytes)
                : device.own(() -> ClMemory.over(device, addressBytes + offsetBytes, sliceBytes));
    }

    private ClMemory wrap(long piece) {
        long start = piece * pieceBytes;
        return device.own(() -> ClMemory.over(device, addressBytes + start, Math.min(pieceBytes, lengthBytes - start)));
    }

    @Override
    void release() {
        var cleanup = new Cleanup();
        pieces.values().forEach(piece -> cleanup.run(piece::close));
        pieces.clear();
        cleanup.end();
    }

    @Override
    public String toString() {
        return "host memory of " + lengthBytes + " bytes as " + device + " uses it";
    }
}
