package io.github.hmm4j.demos.plain;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.sim.SimArguments;
import io.github.hmm4j.device.sim.SimKernels;
import java.lang.foreign.MemorySegment;

/// The three kernels as the simulated device runs them.
final class PlainKernelsInJava {
    private PlainKernelsInJava() {}

    static SimKernels all() {
        SimKernels kernels = new SimKernels();
        kernels.add("kernel void share_map(global const ulong *in, global ulong *out, const ulong n)", PlainKernelsInJava::map);
        kernels.add("kernel void share_pages(global const ulong *data, global ulong *sums, const ulong from, const ulong apart, const ulong n)", PlainKernelsInJava::addUp);
        kernels.add("kernel void blur(global const uchar *src, global uchar *dst, int width, int height)", PlainKernelsInJava::blur);
        return kernels;
    }

    private static void map(SimArguments kernel, NDRange range) {
        for (long i = 0; i < kernel.longValue(2); i++) {
            kernel.memory(1).setAtIndex(JAVA_LONG_UNALIGNED, i, Picture.step(kernel.memory(0).getAtIndex(JAVA_LONG_UNALIGNED, i)));
        }
    }

    private static void addUp(SimArguments kernel, NDRange range) {
        for (long k = 0; k < kernel.longValue(4); k++) {
            long page = kernel.longValue(2) + k * kernel.longValue(3);
            long sum = 0;
            for (int word = 0; word < Picture.ROW_WORDS; word++) {
                sum += kernel.memory(0).getAtIndex(JAVA_LONG_UNALIGNED, page * Picture.ROW_WORDS + word);
            }
            kernel.memory(1).setAtIndex(JAVA_LONG_UNALIGNED, k, sum);
        }
    }

    /// For rows of one width only.
    private static void blur(SimArguments kernel, NDRange range) {
        long height = kernel.intValue(3);
        MemorySegment source = kernel.memory(0);
        for (long y = 0; y < height; y++) {
            byte[] made = Picture.blurred(Picture.row(source, Math.max(y - 1, 0)), Picture.row(source, y), Picture.row(source, Math.min(y + 1, height - 1)));
            MemorySegment.copy(MemorySegment.ofArray(made), 0, kernel.memory(1), y * Picture.ROW_BYTES, made.length);
        }
    }
}
