package io.github.hmm4j.demos.tree;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The layout of one node, shared with the kernel `tree_search`: little-endian, 8-byte aligned, then the word's bytes.
///
/// ```
/// offset  0        8         16       24       28      32
///        +--------+---------+--------+--------+-------+-------------+
///        | left   | right   | hash   | length | value | word, UTF-8 |
///        +--------+---------+--------+--------+-------+-------------+
///          addresses, 0 = none         bytes    >= 0
/// ```
final class WordNode {
    static final long HEADER_BYTES = 32;
    static final long ALIGNMENT_BYTES = 8;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LEFT = 0;
    private static final long RIGHT = 8;
    private static final long HASH = 16;
    private static final long LENGTH = 24;
    private static final long VALUE = 28;

    private WordNode() {}

    /// The room a node takes, alignment included.
    static long sizeBytes(int wordBytes) {
        return (HEADER_BYTES + wordBytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
    }

    /// 64 bits of FNV-1a; nodes and look-ups must use the same hash, the kernel computes none.
    static long hash(byte[] word) {
        long hash = 0xcbf29ce484222325L;
        for (byte each : word) {
            hash = (hash ^ (each & 0xff)) * 0x100000001b3L;
        }
        return hash;
    }

    static void write(MemorySegment memory, long node, long hash, byte[] word, int value) {
        memory.set(LONG, node + LEFT, 0);
        memory.set(LONG, node + RIGHT, 0);
        memory.set(LONG, node + HASH, hash);
        memory.set(INT, node + LENGTH, word.length);
        memory.set(INT, node + VALUE, value);
        MemorySegment.copy(word, 0, memory, ValueLayout.JAVA_BYTE, node + HEADER_BYTES, word.length);
    }

    static long child(MemorySegment memory, long node, boolean right) {
        return memory.get(LONG, node + (right ? RIGHT : LEFT));
    }

    static void setChild(MemorySegment memory, long node, boolean right, long address) {
        memory.set(LONG, node + (right ? RIGHT : LEFT), address);
    }

    static int wordBytes(MemorySegment memory, long node) {
        return memory.get(INT, node + LENGTH);
    }

    static int value(MemorySegment memory, long node) {
        return memory.get(INT, node + VALUE);
    }

    /// The order of the tree: by unsigned hash, then by unsigned bytes; negative when the key comes before the node.
    static int compare(long hash, byte[] word, MemorySegment memory, long node) {
        int byHash = Long.compareUnsigned(hash, memory.get(LONG, node + HASH));
        if (byHash != 0) {
            return byHash;
        }
        int length = memory.get(INT, node + LENGTH);
        int common = Math.min(word.length, length);
        for (int i = 0; i < common; i++) {
            byte there = memory.get(ValueLayout.JAVA_BYTE, node + HEADER_BYTES + i);
            if (word[i] != there) {
                return Byte.compareUnsigned(word[i], there);
            }
        }
        return Integer.compare(word.length, length);
    }
}
