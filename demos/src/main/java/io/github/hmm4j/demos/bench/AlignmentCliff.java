package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// A stencil over three arrays of a power of two: where all of them start at the same place of a cache, corresponding
/// elements push each other out.
final class AlignmentCliff {
    private static final int ARRAYS = 3;
    private static final int TILE = 16;
    private static final Source STENCIL = Source.text("stencil.cl", """
        kernel void stencil(global const float *u, global const float *c, global float *out, const int n) {
            const int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
            const int i = (z * n + y) * n + x;
            if (x == 0 || y == 0 || z == 0 || x == n - 1 || y == n - 1 || z == n - 1) {
                out[i] = u[i];
            } else {
                const float around = u[i - 1] + u[i + 1] + u[i - n] + u[i + n] + u[i - n * n] + u[i + n * n];
                out[i] = u[i] + c[i] * (around - 6.0f * u[i]);
            }
        }
        """);

    private final Hmm hmm;
    private final BareOpenCl bare;
    private final CliffBench.Sizes sizes;
    private final Progress progress;
    private final int edge;
    private final long arrayBytes;

    AlignmentCliff(Hmm hmm, BareOpenCl bare, CliffBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.bare = bare;
        this.sizes = sizes;
        this.progress = progress;
        edge = sizes.gridEdge();
        arrayBytes = (long) edge * edge * edge * Float.BYTES;
    }

    BenchRow row() throws Exception {
        progress.step("cliff.alignment");
        Kernel kernel = hmm.program(STENCIL).kernel("stencil");
        MemorySegment[] any = arrays(1);
        MemorySegment[] aligned = arrays(ByteSize.mib(2));
        Kernel.Call call = call(kernel, any);
        Kernel.Call alignedCall = call(kernel, aligned);
        long explicit = bare.kernel(STENCIL, "stencil");
        long[] buffers = buffers(any);
        for (int i = 0; i < ARRAYS; i++) {
            bare.api().setMemory(explicit, i, buffers[i]);
        }
        bare.setInt(explicit, ARRAYS, edge);
        Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress,
            () -> micros(() -> call.launch(range()).await()),
            () -> micros(() -> bare.launch(explicit, range())));
        Turns startAlike = Turns.take(sizes.warmUps(), sizes.runs(), progress,
            () -> micros(() -> alignedCall.launch(range()).await()),
            () -> micros(() -> call.launch(range()).await()));
        requireSame(any[ARRAYS - 1], aligned[ARRAYS - 1], buffers[ARRAYS - 1]);
        Map<String, Long> facts = new TreeMap<>(Map.of("lengthBytes", arrayBytes,
            "pageSizeBytes", (long) hmm.heap().pageSize().bytes()));
        facts.put("explicitNanos", Math.round(turns.theirs().median() * 1e3));
        facts.put("startAlikeNanos", Math.round(startAlike.ours().median() * 1e3));
        Samples ratio = turns.ratio();
        return Subject.rows(hmm).ratio("cliff.alignment", turns.ours().median(), "us", ratio,
            "the same kernel on three plain buffers", facts,
            Target.atMost(ratio.median(), 1.1));
    }

    private MemorySegment[] arrays(long alignmentBytes) {
        MemorySegment[] arrays = new MemorySegment[ARRAYS];
        for (int i = 0; i < ARRAYS; i++) {
            arrays[i] = hmm.heap().allocate(arrayBytes, alignmentBytes);
            for (long at = 0; at < arrayBytes / Float.BYTES; at++) {
                arrays[i].setAtIndex(JAVA_FLOAT, at, (at * 31 + i) % 1009 / 1009f);
            }
        }
        return arrays;
    }

    private Kernel.Call call(Kernel kernel, MemorySegment[] arrays) {
        return kernel.args(arrays[0], arrays[1], Arg.out(arrays[2]), edge);
    }

    private long[] buffers(MemorySegment[] arrays) {
        long[] buffers = new long[ARRAYS];
        for (int i = 0; i < ARRAYS; i++) {
            buffers[i] = bare.buffer(arrayBytes);
            bare.api().enqueueWrite(bare.queue(), buffers[i], 0, arrayBytes, arrays[i].address(), false);
        }
        bare.finish();
        return buffers;
    }

    private NDRange range() {
        int tile = Math.min(TILE, edge);
        return NDRange.of(edge, edge, edge).local(tile, tile, 1);
    }

    private static double micros(Runnable launch) {
        long start = System.nanoTime();
        launch.run();
        return (System.nanoTime() - start) / 1e3;
    }

    private void requireSame(MemorySegment any, MemorySegment aligned, long buffer) {
        MemorySegment explicit = hmm.heap().allocate(arrayBytes);
        try (var _ = hmm.heap().pin(explicit, Access.WRITE)) {
            bare.api().enqueueRead(bare.queue(), buffer, 0, arrayBytes, explicit.address(), false);
            bare.finish();
        }
        if (any.mismatch(explicit) >= 0 || aligned.mismatch(explicit) >= 0) {
            throw new IllegalStateException(String.format(Locale.ROOT, "the results differ: offset=%d, pageAligned=%d",
                any.mismatch(explicit), aligned.mismatch(explicit)));
        }
    }
}
