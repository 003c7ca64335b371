package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class RunsTest {

    static final int RUNS = 64;
    private static final int BLOCK_BYTES = 4096;

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
        int[] place = new int[RUNS];
        List<Integer> order = new ArrayList<>(IntStream.range(0, runs).boxed().toList());
        Collections.shuffle(order, new Random(random.nextLong()));
        int blocks = random.nextInt(3);
        for (int run : order) {
            place[run] = blocks;
            blocks += at[run + 1] - at[run] + random.nextInt(3);
        }
        byte[] packed = Seeded.bytes(random, (at[RUNS] + 1) * BLOCK_BYTES);
        byte[] memory = Seeded.bytes(random, (blocks + 1) * BLOCK_BYTES);
        byte[] scattered = memory.clone();
        byte[] gathered = packed.clone();
        for (int run = 0; run < runs; run++) {
            int bytes = (at[run + 1] - at[run]) * BLOCK_BYTES;
            System.arraycopy(packed, at[run] * BLOCK_BYTES, scattered, place[run] * BLOCK_BYTES, bytes);
            System.arraycopy(memory, place[run] * BLOCK_BYTES, gathered, at[run] * BLOCK_BYTES, bytes);
        }
        int[] table = IntStream.concat(IntStream.of(at), IntStream.of(place)).toArray();
        run(cl, program.kernel("scatter_runs"), table, packed, packed, memory, scattered, random);
        run(cl, program.kernel("gather_runs"), table, packed, gathered, memory, memory, random);
    }

    private static void run(ClHarness cl, ClHarness.Kernel kernel, int[] table, byte[] packed, byte[] packedAfter, byte[] memory, byte[] memoryAfter, SplittableRandom random) {
        ClHarness.Buffer first = cl.bytes(packed);
        ClHarness.Buffer second = cl.bytes(memory);
        int items = 1 << random.nextInt(7);
        kernel.args(first, table, second).run(new long[] {(long) (table[RUNS] - table[0]) * items}, new long[] {items});
        assertThat(first.toBytes()).as("packed").isEqualTo(packedAfter);
        assertThat(second.toBytes()).as("memory").isEqualTo(memoryAfter);
    }
}
