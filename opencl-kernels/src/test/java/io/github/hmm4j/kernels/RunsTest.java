package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class RunsTest {

    static final int RUNS = 64;
    private static final int BLOCK_BYTES = 4096;
    private static final int GUARD = 64;

    @Test
    void everyRunGoesToItsPlaceAndBack() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                check(cl, 1, random);
                check(cl, RUNS, random);
                check(cl, random.nextInt(2, RUNS), random);
            }
        });
    }

    static void check(ClHarness cl, int runs, SplittableRandom random) {
        ClHarness.Program program = cl.build(Source.resource("runs.cl"));
        int[] at = new int[RUNS + 1];
        at[0] = random.nextInt(3); // what lies before in packed memory is another command's
        for (int run = 0; run < RUNS; run++) {
            at[run + 1] = at[run] + (run < runs ? random.nextInt(1, 4) : 0);
        }
        byte[] packed = Seeded.bytes(random, (at[RUNS] + 1) * BLOCK_BYTES);
        byte[][] places = new byte[runs][];
        for (int run = 0; run < runs; run++) {
            places[run] = Seeded.bytes(random, (at[run + 1] - at[run]) * BLOCK_BYTES + GUARD);
        }
        checkScatter(cl, program, at, packed, places, random);
        checkGather(cl, program, at, packed, places, random);
    }

    private static void checkScatter(ClHarness cl, ClHarness.Program program, int[] at, byte[] packed, byte[][] places, SplittableRandom random) {
        ClHarness.Buffer from = cl.bytes(packed);
        List<ClHarness.Buffer> to = Arrays.stream(places).map(cl::bytes).toList();
        run(program.kernel("scatter_runs"), from, at, to, random);
        for (int run = 0; run < places.length; run++) {
            byte[] expected = places[run].clone();
            System.arraycopy(packed, at[run] * BLOCK_BYTES, expected, 0, expected.length - GUARD);
            assertThat(to.get(run).toBytes()).as("run %d of %d", run, places.length).isEqualTo(expected);
        }
        assertThat(from.toBytes()).as("what was only read").isEqualTo(packed);
    }

    private static void checkGather(ClHarness cl, ClHarness.Program program, int[] at, byte[] packed, byte[][] places, SplittableRandom random) {
        ClHarness.Buffer to = cl.bytes(packed);
        List<ClHarness.Buffer> from = Arrays.stream(places).map(cl::bytes).toList();
        run(program.kernel("gather_runs"), to, at, from, random);
        byte[] expected = packed.clone();
        for (int run = 0; run < places.length; run++) {
            System.arraycopy(places[run], 0, expected, at[run] * BLOCK_BYTES, places[run].length - GUARD);
            assertThat(from.get(run).toBytes()).as("what was only read").isEqualTo(places[run]);
        }
        assertThat(to.toBytes()).as("%d runs", places.length).isEqualTo(expected);
    }

    private static void run(ClHarness.Kernel kernel, ClHarness.Buffer packed, int[] at, List<ClHarness.Buffer> places, SplittableRandom random) {
        List<Object> arguments = new ArrayList<>(List.of(packed, at));
        arguments.addAll(places);
        while (arguments.size() < 2 + RUNS) {
            arguments.add(0L); // a null pointer
        }
        int items = 1 << random.nextInt(7);
        kernel.args(arguments.toArray()).run(new long[] {(long) (at[RUNS] - at[0]) * items}, new long[] {items});
    }
}
