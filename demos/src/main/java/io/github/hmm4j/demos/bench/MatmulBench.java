package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/// What a whole program costs when the heap moves its data, beside the same program with explicit buffers and copies.
///
/// Both start and end with Java arrays: they put two matrices into memory of their own, multiply them on the device, and read the product out. All memory, of the host
/// and of the device, is made and given back each time; only programs are compiled before.
final class MatmulBench implements Bench {
    /// Edge of the part of the product that one work-group computes, and work-items along it (matmul.cl).
    private static final int TILE = 64;
    private static final int GROUP_EDGE = 8;
    private static final long SEED = 42;

    private final Sizes sizes;
    private final String rowName;
    /// Whether the product is read through a view, as checked access demands.
    private final boolean views;
    private final double limit;

    /// @param n edge of the matrices
    record Sizes(int n, int warmUps, int runs) {
        static final Sizes FULL = new Sizes(1024, 5, 41);
    }

    MatmulBench(Sizes sizes) {
        this(sizes, "matmul.managed", true, 1.05);
    }

    private MatmulBench(Sizes sizes, String rowName, boolean views, double limit) {
        this.sizes = sizes;
        this.rowName = rowName;
        this.views = views;
        this.limit = limit;
    }

    /// The same for a heap that the host touches directly.
    static MatmulBench withoutViews(Sizes sizes, String rowName) {
        return new MatmulBench(sizes, rowName, false, 1.03);
    }

    @Override
    public String name() {
        return "matmul";
    }

    @Override
    public String question() {
        return "What does a whole program cost beside the same program with explicit copies?";
    }

    @Override
    public List<BenchRow> run(RunContext context) throws Exception {
        long matrixBytes = (long) sizes.n * sizes.n * Float.BYTES;
        float[] a = randomMatrix(SEED);
        float[] b = randomMatrix(SEED + 1);
        try (Hmm hmm = Subject.heap(context.device(), 4 * matrixBytes + ByteSize.mib(16)).open(); BareOpenCl bare = BareOpenCl.beside(hmm)) {
            Source source = Source.resource("matmul.cl");
            Kernel managedKernel = hmm.program(source).kernel("mul_mat");
            long explicitKernel = bare.kernel(source, "mul_mat");
            Samples managed = new Samples();
            Samples explicit = new Samples();
            for (int run = -sizes.warmUps; run < sizes.runs; run++) {
                long start = System.nanoTime();
                float[] managedResult = multiplyManaged(hmm.heap(), managedKernel, a, b);
                long middle = System.nanoTime();
                float[] explicitResult = multiplyExplicit(bare, explicitKernel, a, b);
                long end = System.nanoTime();
                if (!Arrays.equals(managedResult, explicitResult)) {
                    throw new IllegalStateException("the results differ: index=" + Arrays.mismatch(managedResult, explicitResult));
                }
                if (run == 0) {
                    checkSomeElements(a, b, explicitResult);
                }
                if (run >= 0) {
                    managed.add((middle - start) / 1e6);
                    explicit.add((end - middle) / 1e6);
                }
                context.progress().update(run + sizes.warmUps, sizes.runs + sizes.warmUps);
            }
            Samples ratio = managed.over(explicit);
            return List.of(Subject.rows(hmm).ratio(rowName, managed.median(), "ms", ratio,
                "the same with three buffers and three copies",
                Map.of("n", (long) sizes.n, "pageSizeBytes", (long) hmm.heap().pageSize().bytes()),
                Target.atMost(ratio.median(), limit)));
        }
    }

    private float[] multiplyManaged(ManagedHeap heap, Kernel kernel, float[] a, float[] b) {
        MemorySegment left = heap.allocateFrom(JAVA_FLOAT, a);
        MemorySegment right = heap.allocateFrom(JAVA_FLOAT, b);
        MemorySegment product = heap.allocate(JAVA_FLOAT, a.length);
        kernel.args(Arg.out(product), left, right, sizes.n).launch(range()).await();
        float[] result = views ? readThroughView(heap, product) : product.toArray(JAVA_FLOAT);
        heap.free(left);
        heap.free(right);
        heap.free(product);
        return result;
    }

    private static float[] readThroughView(ManagedHeap heap, MemorySegment product) {
        try (var view = heap.view(product, Access.READ)) {
            return view.segment().toArray(JAVA_FLOAT);
        }
    }

    private float[] multiplyExplicit(BareOpenCl bare, long kernel, float[] a, float[] b) {
        long matrixBytes = (long) a.length * Float.BYTES;
        try (Arena arena = Arena.ofConfined(); BareOpenCl.Buffers buffers = bare.buffers(matrixBytes, 3)) {
            MemorySegment left = arena.allocateFrom(JAVA_FLOAT, a);
            MemorySegment right = arena.allocateFrom(JAVA_FLOAT, b);
            MemorySegment product = arena.allocate(JAVA_FLOAT, a.length);
            bare.api().enqueueWrite(bare.queue(), buffers.get(1), 0, matrixBytes, left.address(), false);
            bare.api().enqueueWrite(bare.queue(), buffers.get(2), 0, matrixBytes, right.address(), false);
            for (int i = 0; i < 3; i++) {
                bare.api().setMemory(kernel, i, buffers.get(i));
            }
            bare.setInt(kernel, 3, sizes.n);
            bare.launch(kernel, range());
            bare.api().enqueueRead(bare.queue(), buffers.get(0), 0, matrixBytes, product.address(), false);
            bare.finish();
            return product.toArray(JAVA_FLOAT);
        }
    }

    private NDRange range() {
        long edge = (long) Math.ceilDiv(sizes.n, TILE) * GROUP_EDGE;
        return NDRange.of(edge, edge).local(GROUP_EDGE, GROUP_EDGE);
    }

    private float[] randomMatrix(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] matrix = new float[sizes.n * sizes.n];
        for (int i = 0; i < matrix.length; i++) {
            matrix[i] = random.nextFloat() * 2 - 1;
        }
        return matrix;
    }

    /// Both programs could be wrong in the same way, so some elements are computed here, too.
    private void checkSomeElements(float[] a, float[] b, float[] product) {
        int n = sizes.n;
        SplittableRandom random = new SplittableRandom(SEED + 2);
        for (int i = 0; i < 256; i++) {
            int row = random.nextInt(n);
            int column = random.nextInt(n);
            double expected = 0;
            for (int k = 0; k < n; k++) {
                expected += (double) a[row * n + k] * b[k * n + column];
            }
            float found = product[row * n + column];
            if (!(Math.abs(found - expected) <= n * 0x1p-22)) {
                throw new IllegalStateException(String.format(Locale.ROOT, "wrong product: row=%d, column=%d, found=%s, expected=%s",
                    row, column, found, expected));
            }
        }
    }
}
