package io.github.hmm4j.device.sim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.device.NDRange;

/// The kernels of `device-contract.cl` in Java.
final class ContractKernels {

    private ContractKernels() {}

    static SimKernels all() {
        return new SimKernels()
                .add("kernel void fill(global uint *out, uint value, uint n)", (args, range) -> {
                    for (long i = 0; i < Math.min(args.intValue(2), range.global()[0]); i++) {
                        args.memory(0).setAtIndex(JAVA_INT, i, args.intValue(1));
                    }
                })
                .add("kernel void add(global uint *out, const global uint *in, uint n)", (args, range) -> {
                    for (long i = 0; i < Math.min(args.intValue(2), range.global()[0]); i++) {
                        int sum = args.memory(0).getAtIndex(JAVA_INT, i) + args.memory(1).getAtIndex(JAVA_INT, i);
                        args.memory(0).setAtIndex(JAVA_INT, i, sum);
                    }
                })
                .add("kernel void scale(global float *out, constant float *table, float2 factor)", (args, range) -> {
                    float x = args.value(2).get(JAVA_FLOAT.withByteAlignment(1), 0);
                    float y = args.value(2).get(JAVA_FLOAT.withByteAlignment(1), 4);
                    for (long i = 0; i < range.global()[0]; i++) {
                        args.memory(0).setAtIndex(JAVA_FLOAT, i, args.memory(1).getAtIndex(JAVA_FLOAT, i % 4) * x + y);
                    }
                })
                .add("kernel void reverse(global uint *data, local uint *scratch)", ContractKernels::reverse)
                .add("kernel __attribute__((reqd_work_group_size(8, 1, 1))) void eights(global uint *out)", (args, range) -> {
                    for (long i = 0; i < range.global()[0]; i++) {
                        args.memory(0).setAtIndex(JAVA_INT, i, (int) (i / 8));
                    }
                })
                .add("kernel void two_locals(global uint *out, local uint *a, local uint *b)", (args, range) -> {
                    for (long i = 0; i < range.global()[0]; i++) {
                        args.memory(1).setAtIndex(JAVA_INT, 0, (int) i);
                        args.memory(2).setAtIndex(JAVA_INT, 0, 2 * (int) i);
                        int sum = args.memory(1).getAtIndex(JAVA_INT, 0) + args.memory(2).getAtIndex(JAVA_INT, 0);
                        args.memory(0).setAtIndex(JAVA_INT, i, sum);
                    }
                })
                .add("kernel void place(global uint *out)", (args, range) -> {
                    long[] size = range.global();
                    for (long i = 0; i < size[0] * size[1] * size[2]; i++) {
                        long place = i % size[0] + 100 * (i / size[0] % size[1]) + 10_000 * (i / size[0] / size[1]);
                        args.memory(0).setAtIndex(JAVA_INT, i, (int) place);
                    }
                });
    }

    private static void reverse(SimArguments args, NDRange range) {
        long group = range.local()[0];
        for (long start = 0; start < range.global()[0]; start += group) {
            for (long l = 0; l < group; l++) {
                args.memory(1).setAtIndex(JAVA_INT, l, args.memory(0).getAtIndex(JAVA_INT, start + l));
            }
            for (long l = 0; l < group; l++) {
                args.memory(0).setAtIndex(JAVA_INT, start + l, args.memory(1).getAtIndex(JAVA_INT, group - 1 - l));
            }
        }
    }
}
