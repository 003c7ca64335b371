package io.github.hmm4j.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// A search tree in the layout of tree.cl, as Java would build it in the managed heap: nodes at real heap addresses.
final class TreeImage {

    static final int HEADER = 32;
    private static final int LEFT = 0;
    private static final int RIGHT = 8;
    private static final int HASH = 16;
    private static final int LENGTH = 24;

    private final long base;
    private final ByteBuffer image;
    private long root;

    /// An empty tree whose heap starts at address `base` and holds `capacity` bytes.
    TreeImage(long base, int capacity) {
        this.base = base;
        this.image = ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }

    long base() {
        return base;
    }

    long root() {
        return root;
    }

    byte[] bytes() {
        return image.array();
    }

    /// Puts a node after `gap` unused bytes, without linking it; its address.
    long node(byte[] word, long hash, int value, int gap) {
        int at = (image.position() + gap + 7) & -8;
        image.position(at);
        image.putLong(0).putLong(0).putLong(hash).putInt(word.length).putInt(value).put(word);
        return base + at;
    }

    void root(long node) {
        root = node;
    }

    void linkLeft(long parent, long child) {
        image.putLong(index(parent) + LEFT, child);
    }

    void linkRight(long parent, long child) {
        image.putLong(index(parent) + RIGHT, child);
    }

    /// Adds a word that is not in the tree yet.
    void insert(byte[] word, long hash, int value, int gap) {
        long added = node(word, hash, value, gap);
        if (root == 0) {
            root = added;
            return;
        }
        long at = root;
        while (true) {
            int side = order(word, hash, at) < 0 ? LEFT : RIGHT;
            long next = image.getLong(index(at) + side);
            if (next == 0) {
                image.putLong(index(at) + side, added);
                return;
            }
            at = next;
        }
    }

    private int order(byte[] word, long hash, long node) {
        int i = index(node);
        int byHash = Long.compareUnsigned(hash, image.getLong(i + HASH));
        if (byHash != 0) {
            return byHash;
        }
        int from = i + HEADER;
        byte[] other = Arrays.copyOfRange(image.array(), from, from + image.getInt(i + LENGTH));
        return Arrays.compareUnsigned(word, other);
    }

    private int index(long node) {
        return Math.toIntExact(node - base);
    }
}
