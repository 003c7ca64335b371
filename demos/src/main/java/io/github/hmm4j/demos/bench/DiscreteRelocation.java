package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;

/// A segment whose halves lie apart on the device, and that a kernel takes as one pointer.
final class DiscreteRelocation {
    private final Hmm hmm;
    private final BareOpenCl bare;
    private final DiscreteBench.Sizes sizes;
    private final Progress progress;
    private final Subject.Rows rows;
    private final long lengthBytes;
    private final long source;
    private final long target;
    private final Kernel add;

    /// @param hmm made by [#sized]
    DiscreteRelocation(Hmm hmm, BareOpenCl bare, DiscreteBench.Sizes sizes, Progress progress, Subject.Rows rows) {
        this.hmm = hmm;
        this.bare = bare;
        this.sizes = sizes;
        this.progress = progress;
        this.rows = rows;
        lengthBytes = lengthBytes(sizes);
        source = bare.buffer(lengthBytes);
        target = bare.buffer(lengthBytes);
        add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
    }

    private static long lengthBytes(DiscreteBench.Sizes sizes) {
        return sizes.bulkBytes() / 16;
    }

    /// A heap in whose budget the segment and what keeps its halves apart do not fit together with it in one piece.
    static HmmBuilder sized(HmmBuilder builder, DiscreteBench.Sizes sizes) {
        return builder.budget(lengthBytes(sizes) * 11 / 4);
    }

    /// What is needed of a heap.
    static long heapBytes(DiscreteBench.Sizes sizes) {
        return 8 * lengthBytes(sizes);
    }

    BenchRow row() {
        progress.step("discrete.relocate");
        Samples ours = new Samples();
        Samples copies = new Samples();
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            double launched = launchNanos();
            double copied = copyNanos();
            if (run >= 0) {
                ours.add(launched);
                copies.add(copied);
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        Samples ratio = ours.over(copies);
        return rows.row("discrete.relocate", ours.median() / 1e3, "us", Optional.of(ratio.median()), "a copy command of the same bytes within the device",
            Map.of("pageSizeBytes", (long) hmm.heap().pageSize().bytes(), "movedBytes", lengthBytes, "copyNanos", Math.round(copies.median())), Optional.empty(), ratio);
    }

    /// The launch that needs both halves together, without the kernel's run.
    private double launchNanos() {
        int alignment = hmm.heap().pageSize().bytes();
        MemorySegment segment = hmm.heap().allocate(lengthBytes, alignment);
        MemorySegment between = hmm.heap().allocate(2 * lengthBytes, alignment);
        run(between);
        run(segment.asSlice(lengthBytes / 2));
        hmm.heap().free(between);
        run(segment.asSlice(0, lengthBytes / 2));
        long before = hmm.report().count(Counter.RELOCATED_PAGES);
        long start = System.nanoTime();
        var launch = add.args(segment, 1, ints(segment)).launch(NDRange.of(ints(segment)));
        long nanos = System.nanoTime() - start;
        launch.await();
        long moved = hmm.heap().pageSize().bytesFor(hmm.report().count(Counter.RELOCATED_PAGES) - before);
        if (moved != lengthBytes) {
            throw new IllegalStateException("expected " + lengthBytes + " bytes to move within the device, but: " + moved);
        }
        requireTwos(segment);
        hmm.heap().free(segment);
        return nanos;
    }

    private void run(MemorySegment segment) {
        add.args(segment, 1, ints(segment)).launch(NDRange.of(ints(segment))).await();
    }

    private static int ints(MemorySegment segment) {
        return Math.toIntExact(segment.byteSize() / JAVA_INT.byteSize());
    }

    private static void requireTwos(MemorySegment segment) {
        for (long i = 0; i < segment.byteSize() / JAVA_INT.byteSize(); i++) {
            if (segment.getAtIndex(JAVA_INT, i) != 2) {
                throw new IllegalStateException("wrong bytes after relocation: int " + i);
            }
        }
    }

    private double copyNanos() {
        long start = System.nanoTime();
        long event = bare.api().enqueueCopy(bare.queue(), source, target, 0, 0, lengthBytes, true);
        bare.api().flush(bare.queue());
        bare.api().waitFor(event);
        bare.api().releaseEvent(event);
        return (double) (System.nanoTime() - start);
    }
}
