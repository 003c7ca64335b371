package io.github.hmm4j.device.opencl;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// A launch that goes through the page table, and what must be true when a call of it has failed.
final class PagedWalk {

    static final int PAGE = 16384;
    static final int BUDGET_PAGES = 24;
    private static final int PAGES = 24;
    private static final int FLOATS = PAGE / Float.BYTES;
    private static final int COUNT = PAGES * FLOATS;

    private final Hmm hmm;
    private final ManagedHeap heap;
    private final MemorySegment in;
    private final MemorySegment out;
    private final Kernel scale;
    private final Arg written;

    static Hmm open(HmmBuilder builder) {
        return builder.heap(ByteSize.mib(16)).pageSize(PAGE).budget((long) BUDGET_PAGES * PAGE).hostAccess(HostAccess.Mode.CHECKED).open();
    }

    PagedWalk(Hmm hmm, boolean overwrites) {
        this.hmm = hmm;
        heap = hmm.heap();
        in = filled(0);
        out = filled(3);
        scale = hmm.program(Source.resource("paged.cl")).kernel("scale_runs");
        written = overwrites ? Arg.out(out) : Arg.inOut(out);
    }

    private MemorySegment filled(int from) {
        MemorySegment segment = heap.allocate(4L * COUNT, PAGE);
        try (HostView view = heap.view(segment, Access.WRITE)) {
            for (int i = 0; i < COUNT; i++) {
                view.segment().setAtIndex(JAVA_FLOAT, i, i + from);
            }
        }
        return segment;
    }

    /// Each work-item takes two thirds of a page, so that pages are written in several rounds.
    void launch() {
        int chunk = FLOATS * 2 / 3;
        scale.args(Arg.heap(Arg.in(in), written), in.address(), out.address(), (long) COUNT, chunk, 2f, 1f).launch(NDRange.of(Math.ceilDiv(COUNT, chunk)).local(1));
    }

    float[] contents(MemorySegment segment) {
        try (HostView view = heap.view(segment, Access.READ)) {
            return view.segment().toArray(JAVA_FLOAT);
        }
    }

    /// What a failed kernel was to write is lost, and says so; anything else has its old or its new contents, and an output also what a kernel has not got to.
    void afterFailure(boolean overwrites) {
        List<SnapshotCode> codes = heap.snapshot(out).codes();
        if (codes.contains(SnapshotCode.ERROR)) {
            for (int page = 0; page < codes.size(); page++) {
                if (codes.get(page) == SnapshotCode.ERROR) {
                    heap.discard(out.asSlice((long) page * PAGE, PAGE));
                }
            }
            return;
        }
        assertThat(codes).noneMatch(code -> code == SnapshotCode.ERROR);
        float[] found = contents(out);
        for (int i = 0; i < COUNT; i++) {
            boolean known = found[i] == i + 3 || found[i] == 2f * i + 1;
            assertThat(known || overwrites).as("element %d=%s", i, found[i]).isTrue();
        }
    }

    void requireRight() {
        float[] expected = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            expected[i] = 2f * i + 1;
        }
        int wrong = Arrays.mismatch(contents(out), expected);
        assertThat(wrong).as("first wrong element of the output").isEqualTo(-1);
        for (int i = 0; i < COUNT; i++) {
            expected[i] = i;
        }
        assertThat(Arrays.mismatch(contents(in), expected)).as("first wrong element of the input").isEqualTo(-1);
        assertThat(hmm.device().usedBytes()).isLessThanOrEqualTo((long) BUDGET_PAGES * PAGE);
    }
}
