package io.github.hmm4j.demos.plain;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.device.NDRange;
import java.lang.foreign.MemorySegment;
import java.util.function.BiConsumer;

/// Three launches over everything: what a kernel needs comes when it touches it.
class PlainManaged {
    final ManagedHeap heap;
    final MemorySegment words;
    final MemorySegment noise;
    final MemorySegment sums;
    final MemorySegment blurred;
    private final Kernel map;
    private final Kernel addUp;
    private final Kernel blur;
    private final long rows;

    PlainManaged(Hmm hmm, long rows) {
        this.heap = hmm.heap();
        this.rows = rows;
        words = heap.allocate(rows * Picture.ROW_BYTES);
        noise = heap.allocate(rows * Picture.ROW_BYTES);
        sums = heap.allocate(JAVA_LONG, rows);
        blurred = heap.allocate(rows * Picture.ROW_BYTES);
        map = hmm.program(Picture.OURS).kernel("share_map");
        addUp = hmm.program(Picture.OURS).kernel("share_pages");
        blur = hmm.program(Picture.STRANGERS).kernel("blur");
        fill();
    }

    void fill() {
        Picture.fill(words);
    }

    /// Shows sums and blurred picture to `reader`, which may not keep them.
    void run(BiConsumer<MemorySegment, MemorySegment> reader) {
        long count = rows * Picture.ROW_WORDS;
        map.args(words, Arg.out(noise), count).launch(NDRange.of(count));
        addUp.args(noise, Arg.out(sums), 0L, 1L, rows).launch(NDRange.of(rows));
        blur.args(noise, Arg.out(blurred), Picture.ROW_BYTES, (int) rows).launch(NDRange.of(Picture.ROW_BYTES, rows)).await();
        reader.accept(sums, blurred);
    }
}
