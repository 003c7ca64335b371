package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;

/// Finds out whether a read on the queue for copies ends while a kernel runs on the other one. Two queues say that it may; where one engine does both, or a driver runs the queues of
/// a context one after the other, it waits all the same.
///
/// A kernel that waits for a word that nobody writes is given more and more patience. If it takes long, and yet few reads end while it does, they wait for it: one or two may have come before it
/// began. How long a read takes does not matter, which a busy machine would change.
///
/// Takes from a millisecond to half a second, and the time to compile a small kernel.
final class OverlapSelfTest {

    private static final int ENOUGH_READS = 8;
    private static final long LONG_NANOS = 200_000_000;
    private static final int LEAST_PATIENCE = 1 << 12;
    private static final int MOST_PATIENCE = 1 << 30;
    private static final int GROWTH = 4;
    private static final long PAGE_BYTES = 64 << 10;
    private static final long LINE_BYTES = 4096;

    private OverlapSelfTest() {}

    static Overlap of(ClDevice device) {
        if (CopyMode.of(device.copyChoice().name()) == CopyMode.DIRECT) {
            return new Overlap(true, "it works in host memory, and no command is needed");
        }
        try (DeviceMemory line = device.allocate(LINE_BYTES); DeviceMemory page = device.allocate(PAGE_BYTES); Arena arena = Arena.ofConfined();
                DeviceProgram program = device.build(Source.resource("in_place.cl"), "-cl-std=CL1.2")) {
            line.write(0, arena.allocate(LINE_BYTES));
            DeviceKernel waits = program.kernel("take_turns");
            MemorySegment into = arena.allocate(PAGE_BYTES);
            return of(waits, line, page, into);
        } catch (HmmException e) {
            return new Overlap(false, String.valueOf(e.getMessage()));
        }
    }

    private static Overlap of(DeviceKernel waits, DeviceMemory line, DeviceMemory page, MemorySegment into) {
        for (long patience = LEAST_PATIENCE;; patience *= GROWTH) {
            long start = System.nanoTime();
            Completion kernel = waits.launch(List.of(new KernelArgument.Memory(line), value(1), value((int) patience)), NDRange.of(1));
            int reads = readsBeside(kernel, page, into);
            long nanos = System.nanoTime() - start;
            if (reads >= ENOUGH_READS) {
                return new Overlap(true, "reads ended while a kernel ran");
            }
            if (nanos >= LONG_NANOS || patience >= MOST_PATIENCE) {
                return new Overlap(false, String.format(Locale.ROOT, "%d reads ended while a kernel ran for %d ms", reads, nanos / 1_000_000));
            }
        }
    }

    /// Leaves no kernel behind, since it uses memory that is closed next.
    private static int readsBeside(Completion kernel, DeviceMemory page, MemorySegment into) {
        int reads = 0;
        try {
            while (!kernel.isDone() && reads < ENOUGH_READS) {
                page.read(0, into);
                reads += kernel.isDone() ? 0 : 1;
            }
        } finally {
            kernel.await();
        }
        return reads;
    }

    private static KernelArgument value(int bits) {
        return new KernelArgument.Value(MemorySegment.ofArray(new int[] {bits}));
    }
}
