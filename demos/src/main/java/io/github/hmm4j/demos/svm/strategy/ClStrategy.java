package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.kernels.Source;

/// What all strategies have in common that call OpenCL themselves: launches, and the count of what they copy.
abstract class ClStrategy implements OpenStrategy {
    private final Strategy strategy;
    private final BareOpenCl device;
    private final ClProgram program;
    private long bytesToDevice;
    private long bytesToHost;

    /// @param device stays open; not owned
    ClStrategy(Strategy strategy, BareOpenCl device) {
        this.strategy = strategy;
        this.device = device;
        program = new ClProgram(device, Source.resource("sharing.cl"), "-cl-std=CL1.2");
    }

    @Override
    public final Strategy strategy() {
        return strategy;
    }

    final BareOpenCl device() {
        return device;
    }

    final ClApi api() {
        return device.api();
    }

    final void copiedToDevice(long bytes) {
        bytesToDevice += bytes;
    }

    final void copiedToHost(long bytes) {
        bytesToHost += bytes;
    }

    /// Makes a block the pointer of an argument.
    ///
    /// @return the index of the first word from that pointer
    abstract long setPointer(long kernel, int index, Block block, long offsetBytes);

    /// Before launches that use the block.
    void beforeLaunch(Block block, Intent intent) {}

    /// After they have ended.
    void afterLaunch(Block block, Intent intent) {}

    @Override
    public final void launch(int times, String name, long workItems, Argument... arguments) {
        forEachBlock(arguments, this::beforeLaunch);
        long kernel = program.kernel(name);
        int index = 0;
        for (Argument argument : arguments) {
            switch (argument) {
                case Argument.Whole(Block block, Intent _) -> setPointer(kernel, index++, block, 0);
                case Argument.Part(Block block, long offsetBytes, long _) -> {
                    long first = setPointer(kernel, index++, block, offsetBytes);
                    program.setLong(kernel, index++, first);
                }
                case Argument.Value(long value) -> program.setLong(kernel, index++, value);
            }
        }
        long[] events = new long[times];
        int enqueued = 0;
        int ended = 0;
        try {
            while (enqueued < times) {
                events[enqueued] = program.enqueue(kernel, workItems);
                enqueued++;
            }
            while (ended < enqueued) {
                program.await(events[ended++]);
            }
        } finally {
            while (ended < enqueued) {
                api().releaseEvent(events[ended++]); // of those that nobody waits for any more, since one has failed
            }
        }
        forEachBlock(arguments, this::afterLaunch);
    }

    @FunctionalInterface
    private interface Visit {
        void block(Block block, Intent intent);
    }

    private static void forEachBlock(Argument[] arguments, Visit visit) {
        for (Argument argument : arguments) {
            switch (argument) {
                case Argument.Whole(Block block, Intent intent) -> visit.block(block, intent);
                case Argument.Part(Block block, long _, long _) -> visit.block(block, Intent.IN_OUT);
                case Argument.Value _ -> { }
            }
        }
    }

    @Override
    public final Taken take() {
        Taken taken = new Taken(bytesToDevice, bytesToHost, program.takeKernelNanos());
        bytesToDevice = 0;
        bytesToHost = 0;
        return taken;
    }

    @Override
    public void close() {
        program.close();
    }
}
