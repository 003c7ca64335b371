package io.github.hmm4j.demos.unmodified;

import com.github.luben.zstd.Zstd;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/// What the programs call: code of the JDK and of a compressor, for memory of any kind.
class Libraries {
    private static final int LEVEL = 1;

    /// The most that [#compress] makes of so many bytes.
    static long packedBytes(long plainBytes) {
        return Zstd.compressBound(plainBytes);
    }

    void fill(MemorySegment values, long seed) {
        Readings.fill(values, seed);
    }

    /// By intrinsic code of the JVM.
    long crc32c(MemorySegment bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.asByteBuffer());
        return crc.getValue();
    }

    /// By Java code.
    String sha256(MemorySegment bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(bytes.asByteBuffer());
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }

    /// By native code.
    ///
    /// @return the bytes of `packed` in use
    int compress(MemorySegment plain, MemorySegment packed) {
        return Zstd.compress(packed.asByteBuffer(), plain.asByteBuffer(), LEVEL);
    }

    void decompress(MemorySegment packed, MemorySegment plain) {
        Zstd.decompress(plain.asByteBuffer(), packed.asByteBuffer());
    }
}
