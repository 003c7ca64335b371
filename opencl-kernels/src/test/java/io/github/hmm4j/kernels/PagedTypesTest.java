package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.kernels.PagedTest.Form;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.LongBinaryOperator;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Objects of every type of OpenCL C through hmm.clh, in every form and way of asking, and atomics: the bytes are those of the oracle here.
final class PagedTypesTest {

    private static final int[] VECTORS = {1, 2, 3, 4, 8, 16};
    private static final int CELLS = 12; // of atomics.cl

    private enum Lane {
        CHAR(1), UCHAR(1), SHORT(2), USHORT(2), INT(4), UINT(4), LONG(8), ULONG(8), FLOAT(4), DOUBLE(8);

        private final int bytes;

        Lane(int bytes) {
            this.bytes = bytes;
        }

        String type() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// Any bits; of floating point whole numbers, with which the kernel computes exactly.
        void put(ByteBuffer to, SplittableRandom random) {
            switch (this) {
                case FLOAT -> to.putFloat(random.nextInt(-1000, 1000));
                case DOUBLE -> to.putDouble(random.nextInt(-1000, 1000));
                default -> putBits(to, random.nextLong());
            }
        }

        /// The oracle: of each number three times as much and five.
        void change(ByteBuffer from, ByteBuffer to) {
            switch (this) {
                case FLOAT -> to.putFloat(from.getFloat() * 3 + 5);
                case DOUBLE -> to.putDouble(from.getDouble() * 3 + 5);
                default -> putBits(to, getBits(from) * 3 + 5);
            }
        }

        private long getBits(ByteBuffer from) {
            return switch (bytes) {
                case 1 -> from.get();
                case 2 -> from.getShort();
                case 4 -> from.getInt();
                default -> from.getLong();
            };
        }

        private void putBits(ByteBuffer to, long bits) {
            switch (bytes) {
                case 1 -> to.put((byte) bits);
                case 2 -> to.putShort((short) bits);
                case 4 -> to.putInt((int) bits);
                default -> to.putLong(bits);
            }
        }
    }

    /// Every second type, each with one of its vectors and in one of the forms: compilers take their time.
    @Test
    void objectsOfEachTypeAreWhatTheyAre() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                int form = random.nextInt(Form.values().length);
                for (int lane = random.nextInt(2); lane < Lane.values().length; lane += 2, form++) {
                    checkTake(cl, Form.values()[form % Form.values().length], Lane.values()[lane], VECTORS[random.nextInt(VECTORS.length)], random);
                }
            }
        });
    }

    /// The forms in turns: each type is in each of them, at some width.
    @Tag("exhaustive")
    @Test
    void vectorsOfEachTypeAndWidthAreTaken() {
        Seeded.run(random -> {
            int form = 0;
            for (Lane lane : Lane.values()) {
                for (int width : VECTORS) {
                    try (ClHarness cl = ClHarness.openOrSkip()) {
                        checkTake(cl, Form.values()[form++ % Form.values().length], lane, width, random);
                    }
                }
            }
        });
    }

    @Test
    void atomicsTakeWhatIsThereToBeWritten() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (Form form : Form.values()) {
                    if (form != Form.PLAIN || cl.reachesHostMemory()) {
                        checkAtomics(cl, form, random.nextBoolean() ? Lane.INT : Lane.UINT, random);
                    }
                }
            }
        });
    }

    @Test
    void atomicsOf64BitsDo() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                assumeTrue(cl.has("cl_khr_int64_base_atomics"), "the device has no atomics of 64 bits");
                for (Form form : Form.values()) {
                    if (form != Form.PLAIN || cl.reachesHostMemory()) {
                        checkAtomics(cl, form, random.nextBoolean() ? Lane.LONG : Lane.ULONG, random);
                    }
                }
            }
        });
    }

    private static void checkTake(ClHarness cl, Form form, Lane lane, int width, SplittableRandom random) {
        if (form == Form.PLAIN && !cl.reachesHostMemory() || lane == Lane.DOUBLE && !cl.has("cl_khr_fp64")) {
            return;
        }
        int object = lane.bytes * (width == 3 ? 4 : width);
        PagedMemory memory = new PagedMemory(form, random.nextInt(7, 11), random); // the largest object is one of the smallest pages
        PagedDevice device = new PagedDevice(cl, form, memory, 1 << random.nextInt(3), random.nextInt(1, 40), random);
        int count = random.nextInt(1, Math.max(2, 4000 / object));
        int chunk = random.nextInt(1, 20);
        int bytes = count * object;
        long in = memory.place(bytes, object);
        long out = memory.place(5L * bytes, object);
        int laneBytes = count * width * lane.bytes;
        long inLanes = memory.place(laneBytes, lane.bytes);
        long outLanes = memory.place(laneBytes, lane.bytes);
        fill(memory, in, bytes, lane, random);
        fill(memory, inLanes, laneBytes, lane, random);
        for (int item = 0; item * chunk < count; item++) {
            int first = item * chunk;
            int mine = Math.min(chunk, count - first);
            device.reads(item, in + (long) first * object, (long) mine * object);
            for (int way = 0; way < 5; way++) {
                device.writes(item, out + (long) way * bytes + (long) first * object, (long) mine * object);
            }
            device.reads(item, inLanes + (long) first * width * lane.bytes, (long) mine * width * lane.bytes);
            device.writes(item, outLanes + (long) first * width * lane.bytes, (long) mine * width * lane.bytes);
        }
        device.expect(() -> {
            byte[] changed = changed(memory.bytesAt(in, bytes), lane);
            for (int way = 0; way < 5; way++) {
                memory.bytes(out + (long) way * bytes, changed);
            }
            memory.bytes(outLanes, changed(memory.bytesAt(inLanes, laneBytes), lane));
        });
        for (int i = 0; width == 3 && i < 5 * count; i++) {
            device.leavesOpen(out + (long) i * object + 3L * lane.bytes, lane.bytes); // what a vector of three leaves behind it
        }
        String options = "-DOBJECT=" + lane.type() + (width == 1 ? "" : width) + " -DLANE=" + lane.type() + " -DLANES=" + width + (lane == Lane.DOUBLE ? " -DWITH_DOUBLE" : "");
        device.run(Source.resource("types/take.cl"), options, "take", Math.ceilDiv(count, chunk), in, out, inLanes, outLanes, (long) count, chunk);
    }

    private static void fill(PagedMemory memory, long at, int bytes, Lane lane, SplittableRandom random) {
        ByteBuffer values = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (values.hasRemaining()) {
            lane.put(values, random);
        }
        memory.bytes(at, values.array());
    }

    private static byte[] changed(byte[] bytes, Lane lane) {
        ByteBuffer from = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer to = ByteBuffer.allocate(bytes.length).order(ByteOrder.LITTLE_ENDIAN);
        while (from.hasRemaining()) {
            lane.change(from, to);
        }
        return to.array();
    }

    private static void checkAtomics(ClHarness cl, Form form, Lane lane, SplittableRandom random) {
        boolean more = lane.bytes == 4 || cl.has("cl_khr_int64_extended_atomics");
        PagedMemory memory = new PagedMemory(form, random);
        PagedDevice device = new PagedDevice(cl, form, memory, 1 << random.nextInt(4), random.nextInt(1, 40), random);
        int spread = random.nextInt(1, 10);
        int count = random.nextInt(1, 200);
        int gap = spread * lane.bytes + lane.bytes * random.nextInt(30);
        long[] values = random.longs(count).map(value -> lane == Lane.INT ? (int) value : lane == Lane.UINT ? value & 0xFFFF_FFFFL : value).toArray();
        long at = memory.place((long) count * lane.bytes, lane.bytes);
        long cells = memory.place((long) CELLS * gap, lane.bytes);
        put(memory, at, lane, values);
        long[][] before = new long[CELLS][spread];
        for (int op = 0; op < CELLS; op++) {
            for (int s = 0; s < spread; s++) {
                before[op][s] = op == 5 ? 0 : lane == Lane.INT ? random.nextInt() : lane == Lane.UINT ? random.nextInt() & 0xFFFF_FFFFL : random.nextLong();
            }
            put(memory, cells + (long) op * gap, lane, before[op]);
        }
        for (int i = 0; i < count; i++) {
            device.reads(i, at + (long) i * lane.bytes, lane.bytes);
            for (int op = 0; op < CELLS; op++) {
                device.writes(i, cells + (long) op * gap + (values[i] & 0xFFFF) % spread * lane.bytes, lane.bytes);
            }
        }
        boolean signed = lane == Lane.INT || lane == Lane.LONG;
        LongBinaryOperator least = (a, b) -> (signed ? Long.compare(a, b) : Long.compareUnsigned(a, b)) < 0 ? a : b;
        LongBinaryOperator most = (a, b) -> least.applyAsLong(a, b) == a ? b : a;
        long[] all = new long[spread]; // of xchg: what was there, and all values
        device.expect(() -> {
            long[][] after = Arrays.stream(before).map(long[]::clone).toArray(long[][]::new);
            for (long value : values) {
                int s = (int) ((value & 0xFFFF) % spread);
                after[0][s] += value;
                after[1][s] -= value;
                after[2][s]++;
                after[3][s]--;
                after[4][s] = after[4][s] * 3 + 1;
                all[s] += value;
                if (more) {
                    after[7][s] = least.applyAsLong(after[7][s], value);
                    after[8][s] = most.applyAsLong(after[8][s], value);
                    after[9][s] &= value | 7;
                    after[10][s] |= value & 0xFF;
                    after[11][s] ^= value;
                }
            }
            for (int op = 0; op < CELLS; op++) {
                put(memory, cells + (long) op * gap, lane, after[op]);
            }
        });
        device.leavesOpen(cells + 5L * gap, (long) spread * lane.bytes); // in which order they came nobody knows
        device.leavesOpen(cells + 6L * gap, (long) spread * lane.bytes);
        String options = "-DOBJECT=" + lane.type() + (lane.bytes == 8 ? " -DWITH_64_BITS" + (more ? " -DWITH_MORE" : "") : "");
        device.run(Source.resource("types/atomics.cl"), options, "update", count, at, cells, (long) gap, spread, (long) count);
        long[] passedOn = get(memory, cells + 5L * gap, lane, spread);
        long[] last = get(memory, cells + 6L * gap, lane, spread);
        for (int s = 0; s < spread; s++) {
            LongPredicate same = lane.bytes == 4 ? difference -> (int) difference == 0 : difference -> difference == 0;
            assertThat(passedOn[s] + last[s] - before[6][s] - all[s]).as("what xchg of cell %d gave and left, less what it took", s).matches(same::test);
        }
    }

    private static void put(PagedMemory memory, long at, Lane lane, long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * lane.bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) {
            lane.putBits(bytes, value);
        }
        memory.bytes(at, bytes.array());
    }

    private static long[] get(PagedMemory memory, long at, Lane lane, int count) {
        ByteBuffer bytes = ByteBuffer.wrap(memory.bytesAt(at, count * lane.bytes)).order(ByteOrder.LITTLE_ENDIAN);
        long[] values = new long[count];
        Arrays.setAll(values, _ -> lane.getBits(bytes));
        return values;
    }
}
