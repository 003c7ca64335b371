package io.github.hmm4j.kernels;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/// Words and their values in a hash map: no tree, no order, no hash of ours.
final class TreeOracle {

    private final Map<ByteBuffer, Integer> values = new HashMap<>();

    /// Whether the word was new.
    boolean add(byte[] word, int value) {
        return values.putIfAbsent(ByteBuffer.wrap(word.clone()), value) == null;
    }

    int find(byte[] word) {
        return values.getOrDefault(ByteBuffer.wrap(word), -1);
    }
}
