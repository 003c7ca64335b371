package io.github.hmm4j.demos.unmodified;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/// The same task without any device, in plain Java and ordinary memory: what must come out.
final class CpuOnly {
    private CpuOnly() {}

    /// Packs `count` numbers into `file`.
    ///
    /// @return the digest is that of the numbers as they were made, not of any that came back
    static Outcome pack(Path file, int count, long seed) throws IOException {
        Libraries libraries = new Libraries();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(JAVA_FLOAT, count);
            libraries.fill(values, seed);
            MemorySegment planes = arena.allocate(values.byteSize());
            for (long i = 0; i < values.byteSize(); i++) {
                planes.set(JAVA_BYTE, i % Float.BYTES * count + i / Float.BYTES, values.get(JAVA_BYTE, i));
            }
            MemorySegment packed = arena.allocate(Libraries.packedBytes(planes.byteSize()));
            int packedBytes = libraries.compress(planes, packed);
            Files.write(file, packed.asSlice(0, packedBytes).toArray(JAVA_BYTE));
            return new Outcome(libraries.crc32c(planes), packedBytes, libraries.sha256(values));
        }
    }
}
