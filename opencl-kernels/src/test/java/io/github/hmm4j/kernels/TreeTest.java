package io.github.hmm4j.kernels;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;

final class TreeTest {

    private static final long HEAP_BASE = 0x7f12_3460_0000L;
    private static final int TOO_DEEP = -2;
    private static final int LOCAL = 16;
    private static final ToLongFunction<byte[]> GOOD_HASH = TreeTest::fnv1a;
    private static final ToLongFunction<byte[]> POOR_HASH = word -> (word.length & 1) == 0 ? 7 : -7;

    /// Runs tree_search over a tree: `args` are those behind the heap.
    private interface Device {
        void search(TreeImage tree, long global, Object... args);
    }

    @Test
    void findsEveryWordAndNoOther() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                check(cl, GOOD_HASH, 3000, 5000, random);
                check(cl, GOOD_HASH, random.nextInt(1, 500), random.nextInt(1, 1000), random);
            }
        });
    }

    @Test
    void findsThemInParts() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                checkPaged(cl, 500, 300, random);
            }
        });
    }

    @Test
    void equalHashesAreSettledByTheBytes() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                check(cl, POOR_HASH, 400, 1000, random);
            }
        });
    }

    @Test
    void anEmptyTreeHasNoWords() {
        try (ClHarness cl = ClHarness.openOrSkip()) {
            assertThat(search(cl, new TreeImage(HEAP_BASE, 64), words("", "x"), GOOD_HASH, 10)).containsExactly(-1, -1);
        }
    }

    @Test
    void comparesBytesUnsignedAndPrefixesShorterFirst() {
        var tree = new TreeImage(HEAP_BASE, 4096);
        List<byte[]> words = words("", "a", "ab", "abc", "b", "\u00e9", "a\u00e9", "ab\u0000");
        for (int i = 0; i < words.size(); i++) {
            tree.insert(words.get(i), 1, i, 0);
        }
        try (ClHarness cl = ClHarness.openOrSkip()) {
            assertThat(search(cl, tree, words, _ -> 1, 100)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
            assertThat(search(cl, tree, words("aa", "abcd", "\u00e8", "c"), _ -> 1, 100)).containsOnly(-1);
        }
    }

    @Test
    void saysTooDeepExactlyWhenTheBoundIsUsedUp() {
        var tree = new TreeImage(HEAP_BASE, 4096);
        for (int i = 0; i < 10; i++) {
            tree.insert(new byte[] {(byte) i}, i, i, 0);            // a chain to the right: word i is at depth i + 1
        }
        List<byte[]> queries = List.of(new byte[] {4}, new byte[] {5}, new byte[] {9});
        ToLongFunction<byte[]> hash = word -> word[0];
        try (ClHarness cl = ClHarness.openOrSkip()) {
            assertThat(search(cl, tree, queries, hash, 10)).containsExactly(4, 5, 9);
            assertThat(search(cl, tree, queries, hash, 5)).containsExactly(4, TOO_DEEP, TOO_DEEP);
            assertThat(search(cl, tree, queries, hash, 0)).containsOnly(TOO_DEEP);
        }
    }

    @Test
    void aTreeThatBitesItsTailEnds() {
        var tree = new TreeImage(HEAP_BASE, 256);
        long node = tree.node(new byte[] {1}, 1, 0, 0);
        tree.root(node);
        tree.linkLeft(node, node);
        tree.linkRight(node, node);
        try (ClHarness cl = ClHarness.openOrSkip()) {
            assertThat(search(cl, tree, words("x", "y"), GOOD_HASH, 1000)).containsOnly(TOO_DEEP);
        }
    }

    static void check(ClHarness cl, int wordCount, int queryCount, SplittableRandom random) {
        check(cl, GOOD_HASH, wordCount, queryCount, random);
    }

    static void checkCollisions(ClHarness cl, int wordCount, int queryCount, SplittableRandom random) {
        check(cl, POOR_HASH, wordCount, queryCount, random);
    }

    /// On a device that has some pages when it begins, so small that nodes and words lie across them.
    static void checkPaged(ClHarness cl, int wordCount, int queryCount, SplittableRandom random) {
        int pageShift = random.nextInt(4, 8);
        for (ToLongFunction<byte[]> hash : List.of(GOOD_HASH, POOR_HASH)) {
            check((tree, global, args) -> {
                byte[] heap = Arrays.copyOf(tree.bytes(), Math.ceilDiv(tree.bytes().length, 128) * 128);
                var host = new PagedHost(cl, heap, tree.base(), pageShift, heap.length >> pageShift, 64, random);
                host.scatter();
                host.begin(Source.resource("tree.cl"), "tree_search", global, LOCAL, args);
                host.finish();
                assertThat(heap).startsWith(tree.bytes());
            }, cl, hash, wordCount, queryCount, random);
        }
    }

    private static void check(ClHarness cl, ToLongFunction<byte[]> hash, int wordCount, int queryCount,
            SplittableRandom random) {
        check(aperture(cl), cl, hash, wordCount, queryCount, random);
    }

    private static void check(Device device, ClHarness cl, ToLongFunction<byte[]> hash, int wordCount, int queryCount,
            SplittableRandom random) {
        var oracle = new TreeOracle();
        var tree = new TreeImage(HEAP_BASE, wordCount * 128 + 64);
        List<byte[]> known = new ArrayList<>();
        for (int i = 0; i < wordCount; i++) {
            byte[] word = word(random);
            if (oracle.add(word, i)) {
                tree.insert(word, hash.applyAsLong(word), i, random.nextInt(40));
                known.add(word);
            }
        }
        List<byte[]> queries = new ArrayList<>();
        for (int i = 0; i < queryCount; i++) {
            queries.add(random.nextBoolean() ? known.get(random.nextInt(known.size())) : word(random));
        }
        int[] found = search(device, cl, tree, queries, hash, wordCount);
        for (int i = 0; i < queryCount; i++) {
            assertThat(found[i]).as("query %d: %s", i, Arrays.toString(queries.get(i)))
                    .isEqualTo(oracle.find(queries.get(i)));
        }
    }

    private static Device aperture(ClHarness cl) {
        return (tree, global, args) -> {
            Object[] all = new Object[args.length + 2];
            all[0] = cl.bytes(tree.bytes());
            all[1] = tree.base();
            System.arraycopy(args, 0, all, 2, args.length);
            cl.build(Source.resource("tree.cl")).kernel("tree_search").args(all)
                    .run(new long[] {global}, new long[] {LOCAL});
        };
    }

    private static int[] search(ClHarness cl, TreeImage tree, List<byte[]> queries, ToLongFunction<byte[]> hash,
            int maxDepth) {
        return search(aperture(cl), cl, tree, queries, hash, maxDepth);
    }

    private static int[] search(Device device, ClHarness cl, TreeImage tree, List<byte[]> queries,
            ToLongFunction<byte[]> hash, int maxDepth) {
        int count = queries.size();
        var joined = new ByteArrayOutputStream();
        long[] offsets = new long[count + 1];
        long[] hashes = new long[count];
        for (int i = 0; i < count; i++) {
            joined.writeBytes(queries.get(i));
            offsets[i + 1] = joined.size();
            hashes[i] = hash.applyAsLong(queries.get(i));
        }
        int[] untouched = new int[count + 8];
        Arrays.fill(untouched, -77);
        ClHarness.Buffer found = cl.ints(untouched);
        device.search(tree, Math.ceilDiv(count, LOCAL) * (long) LOCAL, tree.root(), cl.bytes(joined.toByteArray()),
                cl.longs(offsets), cl.longs(hashes), found, count, maxDepth);
        int[] result = found.toInts();
        assertThat(Arrays.copyOfRange(result, count, result.length)).as("behind the result").containsOnly(-77);
        return Arrays.copyOf(result, count);
    }

    /// Few letters, so that words share long beginnings and some queries for random words hit.
    private static byte[] word(SplittableRandom random) {
        byte[] word = new byte[random.nextInt(4) == 0 ? random.nextInt(40) : random.nextInt(8)];
        for (int i = 0; i < word.length; i++) {
            word[i] = (byte) (random.nextBoolean() ? 'a' : 0xf0 + random.nextInt(2));
        }
        return word;
    }

    private static long fnv1a(byte[] word) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : word) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return hash;
    }

    private static List<byte[]> words(String... words) {
        return Arrays.stream(words).map(word -> word.getBytes(UTF_8)).toList();
    }
}
