package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// `out = 2 * in + b` over two managed arrays, with another `b` each time: a result that was there before is a wrong one.
final class Scaling {
    private static final Source PAGED = Source.resource("paged.cl");
    private static final Source PLAIN = Source.text("scale_plain.cl", """
        kernel void scale_plain(global const float *in, global float *out, const ulong count, const float a, const float b) {
            const size_t i = get_global_id(0);
            if (i < count) {
                out[i] = a * in[i] + b;
            }
        }
        """);
    private static final int KINDS = 2;
    private static final int LARGEST = 10_007;

    private final Hmm hmm;
    private final MemorySegment in;
    private final MemorySegment out;
    private final int count;
    private final List<Kernel.Call> calls;
    private final NDRange range;
    private final float[] result;
    private final float[] expected;
    private int turn;

    private Scaling(Hmm hmm, MemorySegment in, MemorySegment out, List<Kernel.Call> calls, NDRange range) {
        this.hmm = hmm;
        this.in = in;
        this.out = out;
        this.calls = calls;
        this.range = range;
        count = Math.toIntExact(in.byteSize() / Float.BYTES);
        result = new float[count];
        expected = new float[count];
        fill();
    }

    /// Through the device's page table: one work-item takes one page of either array.
    ///
    /// @param kernel `scale_runs` or `scale_cached`
    static Scaling paged(Hmm hmm, String kernel, long arrayBytes) {
        MemorySegment in = hmm.heap().allocate(arrayBytes);
        MemorySegment out = hmm.heap().allocate(arrayBytes);
        Kernel scale = hmm.program(PAGED).kernel(kernel);
        int chunk = hmm.heap().pageSize().bytes() / Float.BYTES;
        long count = arrayBytes / Float.BYTES;
        List<Kernel.Call> calls = IntStream.range(0, KINDS)
            .mapToObj(b -> scale.args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), count, chunk, 2f, (float) b)).toList();
        return new Scaling(hmm, in, out, calls, NDRange.of(Math.ceilDiv(count, chunk)).local(1));
    }

    /// A kernel that knows nothing of pages, over two arrays that lie in one piece each.
    static Scaling plain(Hmm hmm, long arrayBytes) {
        MemorySegment in = hmm.heap().allocate(arrayBytes);
        MemorySegment out = hmm.heap().allocate(arrayBytes);
        Kernel scale = hmm.program(PLAIN).kernel("scale_plain");
        long count = arrayBytes / Float.BYTES;
        List<Kernel.Call> calls = IntStream.range(0, KINDS).mapToObj(b -> scale.args(in, Arg.out(out), count, 2f, (float) b)).toList();
        return new Scaling(hmm, in, out, calls, NDRange.of(count));
    }

    private void fill() {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (i % LARGEST);
        }
        try (HostView view = hmm.heap().view(in, Access.WRITE)) {
            MemorySegment.copy(values, 0, view.segment(), JAVA_FLOAT, 0, count);
        }
    }

    MemorySegment in() {
        return in;
    }

    MemorySegment out() {
        return out;
    }

    /// Returns the launch, which has ended.
    Launch launch() {
        turn++;
        return calls.get(turn % KINDS).launch(range).await();
    }

    /// Nanoseconds of a launch that finds everything on the device.
    ///
    /// @throws IllegalStateException if it does not
    long residentNanos() {
        long start = System.nanoTime();
        Launch launch = launch();
        long nanos = System.nanoTime() - start;
        if (launch.moves().pagesMoved() != 0) {
            throw new IllegalStateException("a launch on resident data moved something: " + launch.moves());
        }
        return nanos;
    }

    /// Brings home what there is on the device.
    void bringHome() {
        hmm.heap().prefetchHost(in);
        hmm.heap().prefetchHost(out);
    }

    /// Checks what the last launch made.
    void requireScaled() {
        try (HostView view = hmm.heap().view(out, Access.READ)) {
            MemorySegment.copy(view.segment(), JAVA_FLOAT, 0, result, 0, count);
        }
        for (int i = 0; i < count; i++) {
            expected[i] = (float) (2 * (i % LARGEST) + turn % KINDS);
        }
        if (!Arrays.equals(result, expected)) {
            int wrong = Arrays.mismatch(result, expected);
            throw new IllegalStateException(String.format(Locale.ROOT, "element %d=%s, expected=%s",
                wrong, result[wrong], expected[wrong]));
        }
    }
}
