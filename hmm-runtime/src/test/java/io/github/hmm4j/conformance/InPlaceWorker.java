package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.error.InPlaceUnavailableException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.PlacementMode;
import java.lang.foreign.MemorySegment;

/// Asks an emulated GPU to work in place: says that it was refused, or that it did, and compares what it made.
final class InPlaceWorker {

    private static final int INTS = 100_000;

    private InPlaceWorker() {}

    public static void main(String[] args) {
        for (ClBinding binding : ClBinding.values()) {
            run(binding);
        }
    }

    private static void run(ClBinding binding) {
        try (Hmm hmm = Hmm.builder().binding(binding).heap(ByteSize.mib(16)).placement(PlacementMode.IN_PLACE).open()) {
            MemorySegment ints = hmm.heap().allocate(INTS * 4L);
            try (var view = hmm.heap().view(ints, Access.WRITE)) {
                for (int i = 0; i < INTS; i++) {
                    view.segment().setAtIndex(JAVA_INT, i, i);
                }
            }
            for (int round = 0; round < 3; round++) {
                hmm.program(Source.resource("access.cl")).kernel("add_ints").args(ints, 10, INTS).launch(NDRange.covering(new long[] {INTS}, 64)).await();
            }
            try (var view = hmm.heap().view(ints, Access.READ)) {
                for (int i = 0; i < INTS; i++) {
                    if (view.segment().getAtIndex(JAVA_INT, i) != i + 30) {
                        throw new AssertionError("int " + i + " is " + view.segment().getAtIndex(JAVA_INT, i));
                    }
                }
            }
            if (hmm.device().hasAperture()) {
                followPointers(hmm);
            }
            if (hmm.report().bytes(Direction.TO_DEVICE) + hmm.report().bytes(Direction.TO_HOST) != 0) {
                throw new AssertionError("something was copied");
            }
            System.out.println("in place: " + hmm.device().placementWhy());
        } catch (InPlaceUnavailableException e) {
            System.out.println("refused: " + e.getMessage());
        }
    }

    /// From one end of the heap to the other, and back.
    private static void followPointers(Hmm hmm) {
        MemorySegment first = hmm.heap().allocate(4096);
        MemorySegment between = hmm.heap().allocate(ByteSize.mib(12));
        MemorySegment last = hmm.heap().allocate(4096);
        Source source = Source.text("there.cl", """
                #include "hmm.clh"
                kernel void there(HMM_HEAP, const ulong to) { *(global ulong *)HMM_PTR(uchar, *(global ulong *)HMM_PTR(uchar, to)) = to; }
                """);
        try (var view = hmm.heap().view(last, Access.WRITE)) {
            view.segment().set(JAVA_LONG, 0, first.address());
        }
        hmm.program(source).kernel("there").args(Arg.heap(Arg.inOut(first), Arg.in(last)), last.address()).launch(NDRange.of(1)).await();
        try (var view = hmm.heap().view(first, Access.READ)) {
            if (view.segment().get(JAVA_LONG, 0) != last.address()) {
                throw new AssertionError("pointers are not followed");
            }
        }
        hmm.heap().free(between);
    }
}
