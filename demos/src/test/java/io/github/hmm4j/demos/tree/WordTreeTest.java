package io.github.hmm4j.demos.tree;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WordTreeTest {
    /// Far from where the memory really is, so an address that was not translated shows at once.
    private static final long BASE = 0x7f12_3456_0000L;

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void writesTheLayoutTheKernelReads() {
        List<String> words = List.of("\u00e9a", "tree", "longer than eight");
        MemorySegment memory = memory(words);
        memory.fill((byte) 0x55);
        WordTree tree = WordTree.build(words, memory, BASE);
        assertThat(tree.rootAddress()).isEqualTo(BASE);
        assertThat(tree.usedBytes()).isEqualTo(40 + 40 + 56).isEqualTo(WordTree.sizeBytes(words));
        assertThat(memory.get(JAVA_LONG_UNALIGNED, 16)).isEqualTo(fnv("\u00e9a"));
        assertThat(memory.get(JAVA_INT_UNALIGNED, 24)).isEqualTo(3);
        assertThat(memory.get(JAVA_INT_UNALIGNED, 28)).isZero();
        assertThat(memory.asSlice(32, 3).toArray(JAVA_BYTE)).isEqualTo("\u00e9a".getBytes(StandardCharsets.UTF_8));
        assertThat(memory.get(JAVA_LONG_UNALIGNED, 40 + 16)).isEqualTo(fnv("tree"));
        assertThat(memory.get(JAVA_INT_UNALIGNED, 40 + 28)).isEqualTo(1);
        long side = Long.compareUnsigned(fnv("tree"), fnv("\u00e9a")) < 0 ? 0 : 8;
        assertThat(memory.get(JAVA_LONG_UNALIGNED, side)).isEqualTo(BASE + 40);
    }

    @Test
    void hashesWithFnv1a() {
        assertThat(WordNode.hash(new byte[0])).isEqualTo(0xcbf29ce484222325L);
        assertThat(WordNode.hash(new byte[] {'a'})).isEqualTo(0xaf63dc4c8601ec8cL);
        assertThat(WordNode.hash("foobar".getBytes(StandardCharsets.UTF_8))).isEqualTo(0x85944171f73967e8L);
    }

    @Test
    void comparesByUnsignedHashThenBytesThenLength() {
        MemorySegment memory = arena.allocate(64, 8);
        WordNode.write(memory, 0, -1L, new byte[] {'a', (byte) 0xc3}, 0);
        assertThat(WordNode.compare(1L, new byte[] {'z'}, memory, 0)).isNegative();
        assertThat(WordNode.compare(-1L, new byte[] {'a', 'z'}, memory, 0)).isNegative();
        assertThat(WordNode.compare(-1L, new byte[] {'b'}, memory, 0)).isPositive();
        assertThat(WordNode.compare(-1L, new byte[] {'a'}, memory, 0)).isNegative();
        assertThat(WordNode.compare(-1L, new byte[] {'a', (byte) 0xc3, 0}, memory, 0)).isPositive();
        assertThat(WordNode.compare(-1L, new byte[] {'a', (byte) 0xc3}, memory, 0)).isZero();
    }

    @Test
    void findsWhatTheHashMapFinds() {
        for (long seed = 0; seed < 20; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Set<String> distinct = new LinkedHashSet<>();
            for (int i = 0; i < 500; i++) {
                distinct.add(Integer.toString(random.nextInt(2000), 36) + "\u00fc".repeat(random.nextInt(4)));
            }
            List<String> words = List.copyOf(distinct);
            MemorySegment memory = memory(words);
            WordTree tree = WordTree.build(words, memory, BASE);
            Lookups lookups = Lookups.random(words, 2000, seed);
            MemorySegment found = arena.allocate(4L * lookups.count(), 4);
            for (int query = 0; query < lookups.count(); query++) {
                found.set(JAVA_INT_UNALIGNED, 4L * query, tree.find(lookups.words().get(query), memory, BASE));
            }
            LookupOracle oracle = LookupOracle.answer(words, lookups);
            assertThat(oracle.firstError(found)).as("seed=%d", seed).isEmpty();
            assertThat(oracle.hits()).isBetween(1300, 1700);
            assertThat(oracle.misses()).isEqualTo(2000 - oracle.hits());
        }
    }

    @Test
    void theOracleSaysWhichAnswerIsWrong() {
        Lookups lookups = new Lookups(List.of("a", "x", "b"));
        LookupOracle oracle = LookupOracle.answer(List.of("a", "b"), lookups);
        MemorySegment found = MemorySegment.ofArray(new int[] {0, -1, 1});
        assertThat(oracle.firstError(found)).isEmpty();
        found.set(JAVA_INT_UNALIGNED, 8, Lookups.TOO_DEEP);
        assertThat(oracle.firstError(found)).contains("look-up 2 of 'b': found=-2, expected=1");
    }

    @Test
    void staysShallowForSortedWords() throws IOException {
        List<String> words = WordSource.jdkClassNames().words();
        WordTree tree = WordTree.build(words, memory(words), BASE);
        assertThat(tree.nodeCount()).isEqualTo(words.size());
        assertThat(tree.depth()).isBetween(15, 100);
    }

    @Test
    void packsLookupsForTheKernel() {
        Lookups lookups = new Lookups(List.of("ab", "\u00e9", "c"));
        assertThat(lookups.wordsBytes()).isEqualTo(5);
        MemorySegment joined = arena.allocate(lookups.wordsBytes());
        MemorySegment offsets = arena.allocate(lookups.offsetsBytes(), 8);
        MemorySegment hashes = arena.allocate(lookups.hashesBytes(), 8);
        lookups.pack(joined, offsets, hashes);
        assertThat(new String(joined.toArray(JAVA_BYTE), StandardCharsets.UTF_8)).isEqualTo("ab\u00e9c");
        List<Long> read = new ArrayList<>();
        for (long i = 0; i < 4; i++) {
            read.add(offsets.get(JAVA_LONG_UNALIGNED, 8 * i));
        }
        assertThat(read).containsExactly(0L, 2L, 4L, 5L);
        assertThat(hashes.get(JAVA_LONG_UNALIGNED, 8)).isEqualTo(fnv("\u00e9"));
    }

    @Test
    void drawsTheSameLookupsForTheSameSeed() {
        List<String> words = List.of("one", "two", "three");
        assertThat(Lookups.random(words, 100, 1)).isEqualTo(Lookups.random(words, 100, 1));
        assertThat(Lookups.random(words, 100, 1)).isNotEqualTo(Lookups.random(words, 100, 2));
    }

    @Test
    void refusesBadInput() {
        MemorySegment memory = arena.allocate(200, 8);
        assertThatThrownBy(() -> WordTree.build(List.of("a", "b", "a"), memory, BASE))
            .isInstanceOf(IllegalArgumentException.class).hasMessage("word twice: a");
        assertThatThrownBy(() -> WordTree.build(List.of("a"), memory, 0)).hasMessage("baseAddress=0");
        assertThatThrownBy(() -> WordTree.build(List.of("a"), memory, 12)).hasMessage("baseAddress=12");
        assertThatThrownBy(() -> WordTree.build(List.of("a"), memory.asSlice(0, 39), BASE))
            .hasMessage("memory.byteSize=39, needed=40");
        assertThatThrownBy(() -> Lookups.random(List.of(), 1, 1)).hasMessage("known.size=0, count=1");
        assertThat(WordTree.build(List.of(), memory, BASE).rootAddress()).isZero();
    }

    private MemorySegment memory(List<String> words) {
        return arena.allocate(WordTree.sizeBytes(words), WordNode.ALIGNMENT_BYTES);
    }

    private static long fnv(String word) {
        return WordNode.hash(word.getBytes(StandardCharsets.UTF_8));
    }
}
