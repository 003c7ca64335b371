package io.github.hmm4j.demos.device;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.sim.SimArguments;
import io.github.hmm4j.device.sim.SimKernelBody;
import io.github.hmm4j.device.sim.SimKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// The kernels of the demos in Java, as the simulated device runs them: the same parameters and the same results as
/// their OpenCL C in `opencl-kernels`, one loop where the device has work-items.
public final class JavaKernels {
    private record JavaKernel(String name, String declaration, SimKernelBody body) {}

    private static final List<JavaKernel> ALL = List.of(
        new JavaKernel("mul_mat", """
            kernel void mul_mat(global float *r, global const float *a, global const float *b, const int n)""",
            JavaKernels::multiply),
        new JavaKernel("tree_search", """
            kernel void tree_search(global const uchar *hmm_image, const ulong hmm_base, const ulong root,
                global const uchar *words, global const ulong *offset, global const ulong *hash, global int *found,
                const uint count, const uint max_depth)""",
            JavaKernels::search),
        new JavaKernel("bfs_level", """
            kernel void bfs_level(global const long *row, global const int *col, global int *depth,
                global int *changed, const int level, const int n)""",
            JavaKernels::level),
        new JavaKernel("shuffle_bytes", """
            kernel void shuffle_bytes(global const uchar *values, global uchar *planes, const uint size, const uint n)""",
            JavaKernels::shuffle),
        new JavaKernel("unshuffle_bytes", """
            kernel void unshuffle_bytes(global const uchar *planes, global uchar *values, const uint size, const uint n)""",
            JavaKernels::unshuffle),
        new JavaKernel("gather_rows", """
            kernel void gather_rows(global const uchar *hmm_image, const ulong hmm_base, const ulong table,
                global const uint *rows, global float *out, const uint width)""",
            JavaKernels::gather),
        new JavaKernel("scale_runs", """
            kernel void scale_runs(global uchar *hmm_image, const ulong hmm_base, const ulong in, const ulong out,
                const ulong count, const uint chunk, const float a, const float b)""",
            JavaKernels::scale),
        new JavaKernel("join_sums", """
            kernel void join_sums(global const uchar *hmm_image, const ulong hmm_base, const ulong rows,
                global const int2 *slots, const uint mask, global long *sums, const ulong count, const uint chunk)""",
            JavaKernels::join),
        new JavaKernel("bfs_level_paged", """
            kernel void bfs_level_paged(global const uchar *hmm_image, const ulong hmm_base, const ulong row,
                const ulong col, global int *depth, global int *changed, const int level, const uint first,
                const uint count)""",
            JavaKernels::levelInHeap));

    private JavaKernels() {}

    /// All of them.
    public static SimKernels all() {
        return allAnd(Map.of());
    }

    /// All of them, with other bodies for some: how a test makes a device that computes wrongly.
    public static SimKernels allAnd(Map<String, SimKernelBody> replacements) {
        SimKernels kernels = new SimKernels();
        for (JavaKernel each : ALL) {
            kernels.add(each.declaration(), replacements.getOrDefault(each.name(), each.body()));
        }
        return kernels;
    }

    /// `r = a * b`, all `n * n` and row-major.
    private static void multiply(SimArguments kernel, NDRange range) {
        int n = kernel.intValue(3);
        float[] a = kernel.memory(1).asSlice(0, 4L * n * n).toArray(JAVA_FLOAT_UNALIGNED);
        float[] b = kernel.memory(2).asSlice(0, 4L * n * n).toArray(JAVA_FLOAT_UNALIGNED);
        float[] sums = new float[n];
        for (int row = 0; row < n; row++) {
            Arrays.fill(sums, 0);
            for (int k = 0; k < n; k++) {
                float factor = a[row * n + k];
                for (int column = 0; column < n; column++) {
                    sums[column] += factor * b[k * n + column];
                }
            }
            MemorySegment.copy(sums, 0, kernel.memory(0), JAVA_FLOAT_UNALIGNED, 4L * row * n, n);
        }
    }

    /// Follows heap addresses from `root` for each query; the order is by unsigned hash, then by unsigned bytes.
    private static void search(SimArguments kernel, NDRange range) {
        MemorySegment image = kernel.memory(0);
        long base = kernel.longValue(1);
        for (long query = 0; query < Integer.toUnsignedLong(kernel.intValue(7)); query++) {
            int answer = -1;
            long at = kernel.longValue(2);
            for (int depth = 0; at != 0; depth++) {
                if (depth == kernel.intValue(8)) {
                    answer = -2;
                    break;
                }
                long node = at - base;
                int order = compare(kernel, query, image, node);
                if (order == 0) {
                    answer = image.get(JAVA_INT_UNALIGNED, node + 28);
                    break;
                }
                at = image.get(JAVA_LONG_UNALIGNED, node + (order < 0 ? 0 : 8));
            }
            kernel.memory(6).setAtIndex(JAVA_INT_UNALIGNED, query, answer);
        }
    }

    private static int compare(SimArguments kernel, long query, MemorySegment image, long node) {
        long hash = kernel.memory(5).getAtIndex(JAVA_LONG_UNALIGNED, query);
        int byHash = Long.compareUnsigned(hash, image.get(JAVA_LONG_UNALIGNED, node + 16));
        if (byHash != 0) {
            return byHash;
        }
        long from = kernel.memory(4).getAtIndex(JAVA_LONG_UNALIGNED, query);
        long length = kernel.memory(4).getAtIndex(JAVA_LONG_UNALIGNED, query + 1) - from;
        MemorySegment asked = kernel.memory(3).asSlice(from, length);
        MemorySegment word = image.asSlice(node + 32, Integer.toUnsignedLong(image.get(JAVA_INT_UNALIGNED, node + 24)));
        long place = asked.mismatch(word);
        if (place < 0) {
            return 0;
        }
        if (place == length || place == word.byteSize()) {
            return Long.compare(length, word.byteSize());
        }
        return Byte.compareUnsigned(asked.get(JAVA_BYTE, place), word.get(JAVA_BYTE, place));
    }

    /// Byte `b` of element `i` goes to `planes[b * n + i]`.
    private static void shuffle(SimArguments kernel, NDRange range) {
        int size = kernel.intValue(2);
        int n = kernel.intValue(3);
        for (long at = 0; at < (long) size * n; at++) {
            kernel.memory(1).set(JAVA_BYTE, at % size * n + at / size, kernel.memory(0).get(JAVA_BYTE, at));
        }
    }

    private static void unshuffle(SimArguments kernel, NDRange range) {
        int size = kernel.intValue(2);
        int n = kernel.intValue(3);
        for (long at = 0; at < (long) size * n; at++) {
            kernel.memory(1).set(JAVA_BYTE, at, kernel.memory(0).get(JAVA_BYTE, at % size * n + at / size));
        }
    }

    /// Gives the unreached neighbours of every vertex at `level` the next level.
    private static void level(SimArguments kernel, NDRange range) {
        MemorySegment row = kernel.memory(0);
        MemorySegment depth = kernel.memory(2);
        int level = kernel.intValue(4);
        for (int vertex = 0; vertex < kernel.intValue(5); vertex++) {
            if (depth.getAtIndex(JAVA_INT_UNALIGNED, vertex) != level) {
                continue;
            }
            long end = row.getAtIndex(JAVA_LONG_UNALIGNED, vertex + 1L);
            for (long edge = row.getAtIndex(JAVA_LONG_UNALIGNED, vertex); edge < end; edge++) {
                int target = kernel.memory(1).getAtIndex(JAVA_INT_UNALIGNED, edge);
                if (depth.getAtIndex(JAVA_INT_UNALIGNED, target) == -1) {
                    depth.setAtIndex(JAVA_INT_UNALIGNED, target, level + 1);
                    kernel.memory(3).set(JAVA_INT_UNALIGNED, 0, 1);
                }
            }
        }
    }

    /// Copies rows of a table that is found by its heap address.
    private static void gather(SimArguments kernel, NDRange range) {
        long table = kernel.longValue(2) - kernel.longValue(1);
        long rowBytes = Integer.toUnsignedLong(kernel.intValue(5)) * Float.BYTES;
        for (long r = 0; r < range.items(); r++) {
            long row = Integer.toUnsignedLong(kernel.memory(3).getAtIndex(JAVA_INT_UNALIGNED, r));
            MemorySegment.copy(kernel.memory(0), table + row * rowBytes, kernel.memory(4), r * rowBytes, rowBytes);
        }
    }

    /// `out = a * in + b`, both found by their heap addresses.
    private static void scale(SimArguments kernel, NDRange range) {
        long in = kernel.longValue(2) - kernel.longValue(1);
        long out = kernel.longValue(3) - kernel.longValue(1);
        for (long i = 0; i < kernel.longValue(4); i++) {
            float value = kernel.memory(0).get(JAVA_FLOAT_UNALIGNED, in + i * Float.BYTES);
            kernel.memory(0).set(JAVA_FLOAT_UNALIGNED, out + i * Float.BYTES, kernel.floatValue(6) * value + kernel.floatValue(7));
        }
    }

    /// For each chunk of rows that are found by their heap address, what those sum up to whose key is in the slots.
    private static void join(SimArguments kernel, NDRange range) {
        long rows = kernel.longValue(2) - kernel.longValue(1);
        MemorySegment slots = kernel.memory(3);
        int mask = kernel.intValue(4);
        for (long item = 0; item < range.items(); item++) {
            long first = item * kernel.intValue(7);
            long end = Math.min(first + kernel.intValue(7), kernel.longValue(6));
            long sum = 0;
            for (long i = first; i < end; i++) {
                int key = kernel.memory(0).get(JAVA_INT_UNALIGNED, rows + 8 * i);
                int slot = key * 0x9E3779B1 & mask;
                while (slots.getAtIndex(JAVA_INT_UNALIGNED, 2L * slot) != -1 && slots.getAtIndex(JAVA_INT_UNALIGNED, 2L * slot) != key) {
                    slot = slot + 1 & mask;
                }
                boolean found = slots.getAtIndex(JAVA_INT_UNALIGNED, 2L * slot) == key;
                sum += found ? (long) kernel.memory(0).get(JAVA_INT_UNALIGNED, rows + 8 * i + 4) * slots.getAtIndex(JAVA_INT_UNALIGNED, 2L * slot + 1) : 0;
            }
            if (first < kernel.longValue(6)) {
                kernel.memory(5).setAtIndex(JAVA_LONG_UNALIGNED, item, sum);
            }
        }
    }

    /// The same as [#level] for some vertices of a graph that is found by its heap addresses.
    private static void levelInHeap(SimArguments kernel, NDRange range) {
        MemorySegment image = kernel.memory(0);
        long row = kernel.longValue(2) - kernel.longValue(1);
        long col = kernel.longValue(3) - kernel.longValue(1);
        MemorySegment depth = kernel.memory(4);
        int level = kernel.intValue(6);
        for (long vertex = kernel.intValue(7); vertex < kernel.intValue(7) + (long) kernel.intValue(8); vertex++) {
            long end = depth.getAtIndex(JAVA_INT_UNALIGNED, vertex) == level ? image.get(JAVA_LONG_UNALIGNED, row + 8 * (vertex + 1)) : 0;
            for (long edge = end == 0 ? 0 : image.get(JAVA_LONG_UNALIGNED, row + 8 * vertex); edge < end; edge++) {
                int target = image.get(JAVA_INT_UNALIGNED, col + 4 * edge);
                if (depth.getAtIndex(JAVA_INT_UNALIGNED, target) == -1) {
                    depth.setAtIndex(JAVA_INT_UNALIGNED, target, level + 1);
                    kernel.memory(5).set(JAVA_INT_UNALIGNED, 0, 1);
                }
            }
        }
    }
}
