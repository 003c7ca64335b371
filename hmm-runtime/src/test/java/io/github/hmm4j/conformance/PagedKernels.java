package io.github.hmm4j.conformance;

import io.github.hmm4j.Arg;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.Program;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;

/// Kernels that go through the device's page table, over segments that begin and end with a group of ints.
final class PagedKernels {

    /// Of ints, which a work-item looks up together.
    static final int GROUP_BYTES = 32 * Integer.BYTES;

    private final Kernel fill;
    private final Kernel add;
    private final Kernel copy;

    PagedKernels(Rig rig) {
        Program program = rig.hmm.program(Source.resource("paged_access.cl"));
        fill = program.kernel("fill_paged");
        add = program.kernel("add_paged");
        copy = program.kernel("copy_paged");
    }

    /// @param memory of which it writes all
    Launch fill(HmmDevice device, Arg memory, int start) {
        MemorySegment out = segmentOf(memory);
        return fill.args(Arg.heap(memory), out.address(), start, ints(out)).launch(groupsOf(out), device);
    }

    Launch add(HmmDevice device, MemorySegment segment, int delta) {
        return add.args(Arg.heap(Arg.inOut(segment)), segment.address(), delta, ints(segment)).launch(groupsOf(segment), device);
    }

    /// @param from of the same length as `to`, of which it writes all
    Launch copy(HmmDevice device, MemorySegment from, Arg to) {
        return copy.args(Arg.heap(Arg.in(from), to), from.address(), segmentOf(to).address(), ints(from)).launch(groupsOf(from), device);
    }

    private static MemorySegment segmentOf(Arg memory) {
        return ((Arg.Memory) memory).segment();
    }

    private static int ints(MemorySegment segment) {
        return Math.toIntExact(segment.byteSize() / Integer.BYTES);
    }

    private static NDRange groupsOf(MemorySegment segment) {
        return NDRange.covering(new long[] {Math.ceilDiv(segment.byteSize(), GROUP_BYTES)}, 4);
    }
}
