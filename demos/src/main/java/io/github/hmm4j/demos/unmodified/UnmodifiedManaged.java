package io.github.hmm4j.demos.unmodified;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.github.hmm4j.Arg;
import io.github.hmm4j.HeapIo;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.Program;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Packs numbers into a file and gets them back, on the managed heap: what a kernel wrote goes to a library as it is,
/// and what a library wrote to a kernel.
final class UnmodifiedManaged {
    private final ManagedHeap heap;
    private final int count;
    private final Libraries libraries;
    private final MemorySegment values;
    private final MemorySegment planes;
    private final MemorySegment packed;
    private final MemorySegment unpacked;
    private final MemorySegment restored;
    private final Kernel shuffle;
    private final Kernel unshuffle;

    UnmodifiedManaged(Hmm hmm, int count, Libraries libraries) {
        this.heap = hmm.heap();
        this.count = count;
        this.libraries = libraries;
        values = heap.allocate(JAVA_FLOAT, count);
        planes = heap.allocate(values.byteSize());
        packed = heap.allocate(Libraries.packedBytes(values.byteSize()));
        unpacked = heap.allocate(values.byteSize());
        restored = heap.allocate(values.byteSize());
        Program program = hmm.program(Source.resource("shuffle.cl"));
        shuffle = program.kernel("shuffle_bytes");
        unshuffle = program.kernel("unshuffle_bytes");
    }

    void fill(long seed) {
        libraries.fill(values, seed);
    }

    /// Packs the numbers into `file`, and unpacks it.
    Outcome packAndUnpack(Path file) throws IOException {
        NDRange each = NDRange.covering(new long[] {count}, 64);
        shuffle.args(values, Arg.out(planes), Float.BYTES, count).launch(each).await();
        long crc = libraries.crc32c(planes);
        MemorySegment packet = packed.asSlice(0, libraries.compress(planes, packed));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            HeapIo.write(heap, packet, channel);
        }
        try (FileChannel channel = FileChannel.open(file)) {
            HeapIo.read(heap, channel, packet);
        }
        libraries.decompress(packet, unpacked);
        unshuffle.args(unpacked, Arg.out(restored), Float.BYTES, count).launch(each).await();
        return new Outcome(crc, packet.byteSize(), libraries.sha256(restored));
    }
}
