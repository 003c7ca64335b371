package io.github.hmm4j.demos.gather;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// Gathers rows of a table on the managed heap: the kernel finds them by their addresses, wherever they are.
class GatherManaged {
    final ManagedHeap heap;
    final MemorySegment table;
    final MemorySegment rows;
    final MemorySegment out;
    final int count;
    final Kernel gatherRows;

    GatherManaged(Hmm hmm, Rows task) {
        this.heap = hmm.heap();
        count = task.count();
        table = heap.allocate(task.tableBytes());
        rows = heap.allocateFrom(JAVA_INT, task.chosen());
        out = heap.allocate(JAVA_FLOAT, (long) count * Rows.WIDTH);
        gatherRows = hmm.program(Source.resource("paged.cl")).kernel("gather_rows");
        fill();
    }

    void fill() {
        Rows.fill(table);
    }

    /// Gathers and shows the rows to `reader`, which may not keep them.
    void gather(Consumer<MemorySegment> reader) {
        gatherRows.args(Arg.heap(Arg.in(table)), table.address(), rows, Arg.out(out), Rows.WIDTH)
            .launch(NDRange.of(count)).await();
        reader.accept(out);
    }

    /// Takes everything back from the device, as it was before.
    void bringHome() {
        heap.prefetchHost(table);
        heap.prefetchHost(rows);
    }
}
