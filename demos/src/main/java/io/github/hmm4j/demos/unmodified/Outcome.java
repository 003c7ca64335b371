package io.github.hmm4j.demos.unmodified;

import java.util.Locale;

/// What a program found on its way; the file that it wrote says the rest.
///
/// @param planesCrc CRC32C of the numbers' bytes by weight
/// @param packedBytes length of the file
/// @param restoredDigest SHA-256 of the numbers that came back, as hexadecimal digits
record Outcome(long planesCrc, long packedBytes, String restoredDigest) {
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "CRC32C %08x, %d bytes packed, SHA-256 %s",
            planesCrc, packedBytes, restoredDigest);
    }
}
