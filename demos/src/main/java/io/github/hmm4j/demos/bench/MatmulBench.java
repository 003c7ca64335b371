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
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// What a whole program costs when the heap moves its data, beside the same program with explicit buffers and copies.
///
/// Both start with two matrices in ordinary memory and end with the product in ordinary memory; memory is made and given back each time, programs are compiled before.
final class MatmulBench implements Bench {
    /// Edge of the part of the product that one work-group computes, and work-items along it (matmul.cl).
    private static final int TILE = 64;
    private static final int GROUP_EDGE = 8;
    private static final long SEED = 42;

    private final Sizes sizes;

    /// @param n edge of the matrices
    record Sizes(int n, int warmUps, int runs) {
        static final Sizes FULL = new Sizes(1024, 5, 41);
    }

    MatmulBench(Sizes sizes) {
        this.sizes = sizes;
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
        try (Arena arena = Arena.ofConfined();
            Hmm hmm = Subject.heap(context.device(), 4 * matrixBytes + ByteSize.mib(16)).open();
            BareOpenCl bare = BareOpenCl.beside(hmm)) {
            MemorySegment a = arena.allocate(matrixBytes, 64);
            MemorySegment b = arena.allocate(matrixBytes, 64);
            SplittableRandom random = new SplittableRandom(SEED);
            fill(a, random);
            fill(b, random);
            MemorySegment managedResult = arena.allocate(matrixBytes, 64);
            MemorySegment explicitResult = arena.allocate(matrixBytes, 64);
            Source source = Source.resource("matmul.cl");
            Kernel managedKernel = hmm.program(source).kernel("mul_mat");
            long explicitKernel = bare.kernel(source, "mul_mat");
            Samples managed = new Samples();
            Samples explicit = new Samples();
            for (int run = -sizes.warmUps; run < sizes.runs; run++) {
                long start = System.nanoTime();
                multiplyManaged(hmm.heap(), managedKernel, a, b, managedResult);
                long middle = System.nanoTime();
                multiplyExplicit(bare, explicitKernel, a, b, explicitResult);
                long end = System.nanoTime();
                if (managedResult.mismatch(explicitResult) >= 0) {
                    throw new IllegalStateException("the results differ: offset=" + managedResult.mismatch(explicitResult));
                }
                managedResult.fill((byte) 0xEE);
                if (run >= 0) {
                    managed.add((middle - start) / 1e6);
                    explicit.add((end - middle) / 1e6);
                }
                context.progress().update(run + sizes.warmUps, sizes.runs + sizes.warmUps);
            }
            checkSomeElements(a, b, explicitResult);
            Samples ratio = managed.over(explicit);
            return List.of(Subject.rows(hmm.device().info()).ratio("matmul.managed", managed.median(), "ms", ratio, "three buffers and three copies",
                Map.of("n", (long) sizes.n, "pageSizeBytes", (long) hmm.heap().pageSize().bytes()),
                Target.atMost(ratio.median(), 1.05)));
        }
    }

    private void multiplyManaged(ManagedHeap heap, Kernel kernel, MemorySegment a, MemorySegment b, MemorySegment result) {
        MemorySegment left = heap.allocateFrom(JAVA_FLOAT, a, JAVA_FLOAT, 0, a.byteSize() / Float.BYTES);
        MemorySegment right = heap.allocateFrom(JAVA_FLOAT, b, JAVA_FLOAT, 0, b.byteSize() / Float.BYTES);
        MemorySegment product = heap.allocate(result.byteSize());
        kernel.args(Arg.out(product), left, right, sizes.n).launch(range()).await();
        try (var view = heap.view(product, Access.READ)) {
            result.copyFrom(view.segment());
        }
        heap.free(left);
        heap.free(right);
        heap.free(product);
    }

    private NDRange range() {
        long edge = (long) Math.ceilDiv(sizes.n, TILE) * GROUP_EDGE;
        return NDRange.of(edge, edge).local(GROUP_EDGE, GROUP_EDGE);
    }

    private void multiplyExplicit(BareOpenCl bare, long kernel, MemorySegment a, MemorySegment b, MemorySegment result) {
        try (BareOpenCl.Buffers buffers = bare.buffers(result.byteSize(), 3)) {
            var api = bare.api();
            long product = buffers.get(0);
            long left = buffers.get(1);
            long right = buffers.get(2);
            api.enqueueWrite(bare.queue(), left, 0, a.byteSize(), a.address(), false);
            api.enqueueWrite(bare.queue(), right, 0, b.byteSize(), b.address(), false);
            api.setMemory(kernel, 0, product);
            api.setMemory(kernel, 1, left);
            api.setMemory(kernel, 2, right);
            bare.setInt(kernel, 3, sizes.n);
            bare.launch(kernel, range());
            api.enqueueRead(bare.queue(), product, 0, result.byteSize(), result.address(), false);
            bare.finish();
        }
    }

    private static void fill(MemorySegment matrix, SplittableRandom random) {
        for (long i = 0; i < matrix.byteSize() / Float.BYTES; i++) {
            matrix.setAtIndex(JAVA_FLOAT, i, random.nextFloat() * 2 - 1);
        }
    }

    /// Both programs could be wrong in the same way, so some elements are computed here, too.
    private void checkSomeElements(MemorySegment a, MemorySegment b, MemorySegment product) {
        int n = sizes.n;
        SplittableRandom random = new SplittableRandom(SEED + 1);
        for (int i = 0; i < 256; i++) {
            int row = random.nextInt(n);
            int column = random.nextInt(n);
            double expected = 0;
            for (int k = 0; k < n; k++) {
                expected += (double) a.getAtIndex(JAVA_FLOAT, (long) row * n + k) * b.getAtIndex(JAVA_FLOAT, (long) k * n + column);
            }
            float found = product.getAtIndex(JAVA_FLOAT, (long) row * n + column);
            if (!(Math.abs(found - expected) <= n * 0x1p-22)) {
                throw new IllegalStateException("wrong product: row=%d, column=%d, found=%s, expected=%s"
                    .formatted(row, column, found, expected));
            }
        }
    }
}
