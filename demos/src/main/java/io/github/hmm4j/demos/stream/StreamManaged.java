package io.github.hmm4j.demos.stream;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// Streams through arrays on the managed heap with one launch.
class StreamManaged {
    final ManagedHeap heap;
    final long count;
    final int chunk; // for each work-item: one page
    final MemorySegment in;
    final MemorySegment out;
    final Kernel scaleRuns;

    StreamManaged(Hmm hmm, long count) {
        this.heap = hmm.heap();
        this.count = count;
        chunk = heap.pageSize().bytes() / Float.BYTES;
        in = heap.allocate(JAVA_FLOAT, count);
        out = heap.allocate(JAVA_FLOAT, count);
        scaleRuns = hmm.program(Source.resource("paged.cl")).kernel("scale_runs");
        fill();
    }

    void fill() {
        Numbers.fill(in);
    }

    /// Streams and shows the result to `reader`, which may not keep it.
    void stream(Consumer<MemorySegment> reader) {
        scaleRuns.args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), count, chunk, Numbers.FACTOR, Numbers.SUMMAND)
            .launch(NDRange.of(Math.ceilDiv(count, chunk)).local(1)).await();
        reader.accept(out);
    }

    /// Takes everything back from the device, as it was before.
    void bringHome() {
        heap.prefetchHost(in);
        heap.prefetchHost(out);
    }
}
