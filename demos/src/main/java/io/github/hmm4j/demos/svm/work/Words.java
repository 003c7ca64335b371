package io.github.hmm4j.demos.svm.work;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Access;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy.HostUse;
import java.lang.foreign.MemorySegment;
import java.util.function.LongUnaryOperator;

/// What the host does with words of 8 bytes, and the arithmetic of the kernels in `sharing.cl`.
final class Words {
    static final long PAGE_BYTES = 4096;
    static final long PAGE_WORDS = PAGE_BYTES / Long.BYTES;
    private static final long FACTOR = 6364136223846793005L;
    private static final long ADDEND = 1442695040888963407L;

    private Words() {}

    static long count(Block block) {
        return block.lengthBytes() / Long.BYTES;
    }

    /// One step of a kernel.
    static long step(long word) {
        return word * FACTOR + ADDEND;
    }

    /// So many steps, one after the other.
    static long steps(long word, long times) {
        long stepped = word;
        for (long i = 0; i < times; i++) {
            stepped = step(stepped);
        }
        return stepped;
    }

    /// Word `i` becomes `seed + i`.
    static void ramp(Block block, long seed) {
        try (HostUse use = block.host(0, block.lengthBytes(), Access.OVERWRITE)) {
            MemorySegment words = use.segment();
            for (long i = 0, n = words.byteSize() / Long.BYTES; i < n; i++) {
                words.setAtIndex(JAVA_LONG, i, seed + i);
            }
        }
    }

    /// Sum of `seed + i` for `i` from 0 to `n - 1`.
    static long sumOfRamp(long seed, long n) {
        return seed * n + (n % 2 == 0 ? n / 2 * (n - 1) : n * ((n - 1) / 2));
    }

    /// Sum of `n` words whose sum was `sum`, after each has made a step.
    static long sumAfterStep(long sum, long n) {
        return sum * FACTOR + n * ADDEND;
    }

    static long sum(Block block) {
        try (HostUse use = block.host(0, block.lengthBytes(), Access.READ)) {
            MemorySegment words = use.segment();
            long sum = 0;
            for (long i = 0, n = words.byteSize() / Long.BYTES; i < n; i++) {
                sum += words.getAtIndex(JAVA_LONG, i);
            }
            return sum;
        }
    }

    /// Word 0 of each page becomes `value + page`; the others stay.
    static void touchEachPage(Block block, long value) {
        try (HostUse use = block.host(0, block.lengthBytes(), Access.UPDATE)) {
            MemorySegment words = use.segment();
            for (long page = 0, n = words.byteSize() / PAGE_BYTES; page < n; page++) {
                words.set(JAVA_LONG, page * PAGE_BYTES, value + page);
            }
        }
    }

    /// The sum of a ramp from 0 in which word 0 of each page is `value + page`.
    static long sumOfTouched(long value, long pages) {
        return sumOfRamp(0, pages * PAGE_WORDS) - PAGE_WORDS * sumOfRamp(0, pages) + sumOfRamp(value, pages);
    }

    static long read(Block block, long word) {
        try (HostUse use = block.host(word * Long.BYTES, Long.BYTES, Access.READ)) {
            return use.segment().get(JAVA_LONG, 0);
        }
    }

    /// Compares all words with an oracle.
    ///
    /// @throws WrongResultException if one differs
    static void verify(String what, Block block, LongUnaryOperator expected) {
        try (HostUse use = block.host(0, block.lengthBytes(), Access.READ)) {
            for (long i = 0, n = count(block); i < n; i++) {
                WrongResultException.check(what, i, use.segment().getAtIndex(JAVA_LONG, i), expected.applyAsLong(i));
            }
        }
    }
}
