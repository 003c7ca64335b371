package io.github.hmm4j.kernels;

import static io.github.hmm4j.kernels.SharingOracle.PAGE_WORDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class SharingTest {

    private static final int LOCAL = 32;
    private static final int GUARD = 16;

    @Test
    void kernelsDoWhatTheOracleSays() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                check(cl, 1, random);
                for (int i = 0; i < 5; i++) {
                    check(cl, random.nextInt(2, 3000), random);
                }
            }
        });
    }

    static void check(ClHarness cl, int n, SplittableRandom random) {
        ClHarness.Program program = cl.build(Source.resource("sharing.cl"));
        checkWordByWord(cl, program, n, random);
        checkSums(cl, program, n, random);
        checkPages(cl, program, random);
        checkChase(cl, program, n, random);
    }

    private static void checkWordByWord(ClHarness cl, ClHarness.Program program, int n, SplittableRandom random) {
        long[] words = random.longs(n + GUARD).toArray();
        long[] out = words.clone();
        for (int i = 0; i < n; i++) {
            out[i] = SharingOracle.step(words[i]);
        }
        ClHarness.Buffer in = cl.longs(words);
        ClHarness.Buffer mapped = cl.longs(words);
        program.kernel("share_map").args(in, mapped, (long) n).runOver(n, LOCAL);
        assertThat(mapped.toLongs()).as("map n=%d", n).isEqualTo(out);
        assertThat(in.toLongs()).as("what was only read").isEqualTo(words);

        int first = random.nextInt(n);
        long[] stepped = words.clone();
        for (int i = first; i < n; i++) {
            stepped[i] = SharingOracle.step(words[i]);
        }
        program.kernel("share_step").args(in, (long) first, (long) (n - first)).runOver(n - first, LOCAL);
        assertThat(in.toLongs()).as("step n=%d first=%d", n, first).isEqualTo(stepped);

        long seed = random.nextLong();
        for (int i = 0; i < n; i++) {
            out[i] = SharingOracle.step(seed + i);
        }
        program.kernel("share_fill").args(mapped, seed, (long) n).runOver(n, LOCAL);
        assertThat(mapped.toLongs()).as("fill n=%d seed=%d", n, seed).isEqualTo(out);
    }

    private static void checkSums(ClHarness cl, ClHarness.Program program, int n, SplittableRandom random) {
        long[] words = random.longs(n).toArray();
        int groups = 2 * LOCAL;
        long[] partials = random.longs(groups + GUARD).toArray();
        ClHarness.Buffer partial = cl.longs(partials);
        program.kernel("share_sum").args(cl.longs(words), partial, (long) n).run(new long[] {groups}, new long[] {LOCAL});
        for (int g = 0; g < groups; g++) {
            partials[g] = g < n ? SharingOracle.sum(words, g, n - g, groups) : 0;
        }
        assertThat(partial.toLongs()).as("sum n=%d", n).isEqualTo(partials);
        ClHarness.Buffer total = cl.longs(0, 7);
        program.kernel("share_total").args(partial, total, (long) groups).runOver(1, 1);
        assertThat(total.toLongs()).as("total n=%d", n).containsExactly(SharingOracle.sum(words, 0, n, 1), 7);
    }

    private static void checkPages(ClHarness cl, ClHarness.Program program, SplittableRandom random) {
        int from = random.nextInt(3);
        int apart = random.nextInt(1, 4);
        int n = random.nextInt(1, 4);
        long[] words = random.longs((long) (from + (n - 1) * apart + 1) * PAGE_WORDS).toArray();
        long[] expected = new long[n + GUARD];
        for (int k = 0; k < n; k++) {
            expected[k] = SharingOracle.sum(words, (from + k * apart) * PAGE_WORDS, PAGE_WORDS, 1);
        }
        ClHarness.Buffer sums = cl.longs(new long[n + GUARD]);
        program.kernel("share_pages").args(cl.longs(words), sums, (long) from, (long) apart, (long) n).runOver(n, 2);
        assertThat(sums.toLongs()).as("pages from=%d apart=%d n=%d", from, apart, n).isEqualTo(expected);
    }

    private static void checkChase(ClHarness cl, ClHarness.Program program, int lines, SplittableRandom random) {
        long[] chain = new long[lines * 8];
        for (int i = 0; i < lines; i++) {
            chain[i * 8] = random.nextInt(lines);
        }
        int start = random.nextInt(lines);
        int steps = random.nextInt(200);
        ClHarness.Buffer end = cl.longs(-1, 7);
        program.kernel("share_chase").args(cl.longs(chain), end, (long) start, (long) steps).runOver(1, 1);
        assertThat(end.toLongs()).as("chase lines=%d start=%d steps=%d", lines, start, steps)
                .containsExactly(SharingOracle.end(chain, start, steps), 7);
    }
}
