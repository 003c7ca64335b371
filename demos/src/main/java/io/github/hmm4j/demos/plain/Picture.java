package io.github.hmm4j.demos.plain;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;

/// Rows of words, what becomes of them, and the kernels: `share_map` makes noise of them, `share_pages` adds up each row, and a blur that was written for pictures smooths the noise, byte by byte.
final class Picture {
    static final int ROW_BYTES = 4096; // what `share_pages` takes for a page
    static final int ROW_WORDS = ROW_BYTES / Long.BYTES;
    static final Source OURS = Source.resource("sharing.cl");
    /// As one finds it: it has never heard of this heap.
    static final Source STRANGERS = Source.text("blur.cl", """
        __kernel void blur(__global const uchar *src, __global uchar *dst, int width, int height)
        {
            int x = get_global_id(0), y = get_global_id(1);
            if (x >= width || y >= height) return;
            int l = max(x - 1, 0), r = min(x + 1, width - 1), u = max(y - 1, 0), d = min(y + 1, height - 1);
            uint sum = 4 * src[(size_t)y * width + x] + src[(size_t)y * width + l] + src[(size_t)y * width + r]
                     + src[(size_t)u * width + x] + src[(size_t)d * width + x];
            dst[(size_t)y * width + x] = (uchar)(sum / 8);
        }
        """);

    private Picture() {}

    static void fill(MemorySegment words) {
        for (long offset = 0; offset < words.byteSize(); offset += Long.BYTES) {
            words.set(JAVA_LONG_UNALIGNED, offset, offset);
        }
    }

    static long step(long word) {
        return word * 6364136223846793005L + 1442695040888963407L;
    }

    private static long noise(long row, int word) {
        return step(row * ROW_BYTES + (long) word * Long.BYTES);
    }

    private static void noise(long row, byte[] bytes) {
        for (int word = 0; word < ROW_WORDS; word++) {
            MemorySegment.ofArray(bytes).set(JAVA_LONG_UNALIGNED, (long) word * Long.BYTES, noise(row, word));
        }
    }

    static long expectedSum(long row) {
        long sum = 0;
        for (int word = 0; word < ROW_WORDS; word++) {
            sum += noise(row, word);
        }
        return sum;
    }

    /// The first byte of a blurred picture that is not what it should be; -1 if all are right.
    static long firstError(MemorySegment blurred) {
        long rows = blurred.byteSize() / ROW_BYTES;
        byte[] above = new byte[ROW_BYTES];
        byte[] here = new byte[ROW_BYTES];
        byte[] below = new byte[ROW_BYTES];
        noise(0, here);
        noise(0, below);
        for (long row = 0; row < rows; row++) {
            byte[] free = above;
            above = here;
            here = below;
            below = free;
            noise(Math.min(row + 1, rows - 1), below);
            byte[] expected = blurred(above, here, below);
            long wrong = MemorySegment.ofArray(expected).mismatch(blurred.asSlice(row * ROW_BYTES, ROW_BYTES));
            if (wrong >= 0) {
                return row * ROW_BYTES + wrong;
            }
        }
        return -1;
    }

    static byte[] blurred(byte[] above, byte[] here, byte[] below) {
        byte[] made = new byte[here.length];
        for (int x = 0; x < here.length; x++) {
            int sides = Byte.toUnsignedInt(here[Math.max(x - 1, 0)]) + Byte.toUnsignedInt(here[Math.min(x + 1, here.length - 1)]);
            made[x] = (byte) ((4 * Byte.toUnsignedInt(here[x]) + sides + Byte.toUnsignedInt(above[x]) + Byte.toUnsignedInt(below[x])) / 8);
        }
        return made;
    }

    static byte[] row(MemorySegment picture, long row) {
        return picture.asSlice(row * ROW_BYTES, ROW_BYTES).toArray(JAVA_BYTE);
    }
}
