package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.sim.SimArguments;
import io.github.hmm4j.device.sim.SimKernels;
import java.lang.foreign.MemorySegment;

/// The kernels of `access.cl` in Java, for simulated devices.
final class AccessKernels {

    private AccessKernels() {}

    static SimKernels all() {
        return new SimKernels()
                .add("kernel void copy_ints(global const int *in, global int *out, const uint n)", (args, range) ->
                        MemorySegment.copy(args.memory(0), 0, args.memory(1), 0, 4 * count(args, 2, range)))
                .add("kernel void fill_ramp(global int *out, const int start, const int step, const uint n)", (args, range) -> {
                    long n = count(args, 3, range);
                    for (long i = 0; i < n; i++) {
                        args.memory(0).setAtIndex(JAVA_INT, i, args.intValue(1) + args.intValue(2) * (int) i);
                    }
                })
                .add("kernel void add_ints(global int *inout, const int delta, const uint n)", (args, range) -> {
                    long n = count(args, 2, range);
                    for (long i = 0; i < n; i++) {
                        int sum = args.memory(0).getAtIndex(JAVA_INT, i) + args.intValue(1);
                        args.memory(0).setAtIndex(JAVA_INT, i, sum);
                    }
                });
    }

    private static long count(SimArguments args, int parameter, NDRange range) {
        return Math.min(Integer.toUnsignedLong(args.intValue(parameter)), range.global()[0]);
    }
}
