package io.github.hmm4j.demos.join;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/// Joins two tables on the managed heap with one launch: the small one is an argument of its own and stays, through the large one the kernel goes page by page.
class JoinManaged {
    final ManagedHeap heap;
    final Orders task;
    final int chunk; // rows for each work-item: a page
    final MemorySegment probe;
    final MemorySegment build;
    final MemorySegment sums;
    final Kernel joinSums;

    JoinManaged(Hmm hmm, Orders task) {
        this.heap = hmm.heap();
        this.task = task;
        chunk = Math.toIntExact(heap.pageSize().bytes() / Orders.ROW_BYTES);
        probe = heap.allocate(task.probeBytes());
        build = heap.allocate(task.buildBytes());
        sums = heap.allocate(JAVA_LONG, Math.ceilDiv(task.count(), chunk));
        joinSums = hmm.program(Source.resource("paged.cl")).kernel("join_sums");
        fill();
    }

    void fill() {
        task.fillProbe(probe);
        task.fillBuild(build);
    }

    /// Joins and shows one sum for each [#chunk] orders to `reader`, which may not keep them.
    void join(Consumer<MemorySegment> reader) {
        joinSums.args(Arg.heap(Arg.in(probe)), probe.address(), build, task.mask(), Arg.out(sums), task.count(), chunk)
            .launch(NDRange.of(Math.ceilDiv(task.count(), chunk)).local(1)).await();
        reader.accept(sums);
    }

    /// Takes everything back from the device, as it was before.
    void bringHome() {
        List.of(probe, build, sums).forEach(heap::prefetchHost);
    }
}
