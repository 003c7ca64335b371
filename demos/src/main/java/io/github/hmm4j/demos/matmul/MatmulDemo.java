package io.github.hmm4j.demos.matmul;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Report;
import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.device.Opening;
import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.demos.harness.DemoResult;
import io.github.hmm4j.demos.harness.RunClock;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.harness.TwinPrinter;
import io.github.hmm4j.demos.harness.TwinResult;
import io.github.hmm4j.demos.harness.UsageException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Option;

/// `hmm demo matmul`: the example of the HMM texts, three buffers and three copies against one call.
public final class MatmulDemo implements Demo {
    private static final long SEED_A = 1;
    private static final long SEED_B = 2;
    private static final int LARGEST = 16_384;

    @Option(names = "--n", paramLabel = "N", defaultValue = "1024",
        description = "Rows and columns of the matrices of matmul (default: ${DEFAULT-VALUE}).")
    private int n = 1024;

    private final UnaryOperator<HmmBuilder> heap;

    public MatmulDemo() {
        this(UnaryOperator.identity());
    }

    /// @param heap what else is asked of the heap
    MatmulDemo(UnaryOperator<HmmBuilder> heap) {
        this.heap = heap;
    }

    @Override
    public String name() {
        return "matmul";
    }

    @Override
    public String description() {
        return "Multiply two matrices: three buffers and three copies, or one call.";
    }

    @Override
    public DemoResult run(RunContext context) throws UsageException {
        if (n < 1 || n > LARGEST) {
            throw new UsageException(String.format(Locale.ROOT, "--n: %d is not from 1 to %d", n, LARGEST));
        }
        try (Arena arena = Arena.ofShared()) {
            return new Run(context, arena).both();
        }
    }

    /// One pass through both programs.
    private final class Run {
        private final RunContext context;
        private final MatmulOracle oracle;
        private final MemorySegment explicitProduct;
        private final List<String> errors = new ArrayList<>();
        private double maxError;

        Run(RunContext context, Arena arena) {
            this.context = context;
            MemorySegment a = arena.allocate(JAVA_FLOAT, (long) n * n);
            MemorySegment b = arena.allocate(JAVA_FLOAT, (long) n * n);
            Matrices.fill(a, SEED_A);
            Matrices.fill(b, SEED_B);
            oracle = MatmulOracle.multiply(a, b, n);
            explicitProduct = arena.allocate(JAVA_FLOAT, (long) n * n);
        }

        DemoResult both() throws UsageException {
            TwinResult explicit = explicit();
            long matrixBytes = explicitProduct.byteSize();
            try (Hmm hmm = Opening.heap(context.device(), Opening.heapBytes(matrixBytes, matrixBytes, matrixBytes), heap)) {
                RunClock clock = new RunClock();
                MatmulManaged program = Opening.isTransparent(hmm) ? new MatmulManaged(hmm, n) : new MatmulChecked(hmm, n);
                Report moved = managed(hmm, program, clock);
                DemoResult result = new DemoResult(name(), errors.isEmpty(), Opening.label(hmm.device().info()),
                    context.device().binding().toString(), Opening.hostAccess(hmm), Optional.of(explicit),
                    Optional.of(TwinResult.managed(clock, moved, program.getClass())),
                    counts(), errors.stream().findFirst());
                TwinPrinter.print(context.out(), headline(clock), result, moved);
                return result;
            }
        }

        private Map<String, Object> counts() {
            Map<String, Object> counts = new LinkedHashMap<>();
            counts.put("n", n);
            counts.put("maxError", maxError);
            return counts;
        }

        private String headline(RunClock clock) {
            String checked = errors.isEmpty() ? "right" : "WRONG";
            return String.format(Locale.ROOT,
                "%d x %d floats, every element %s (largest error %.2g, tolerance %.2g)%s, %.1f GFLOP/s managed",
                n, n, checked, maxError, MatmulOracle.tolerance(n),
                errors.isEmpty() ? ", the same bits from both programs" : "",
                2.0 * n * n * n / clock.medianNanos());
        }

        private TwinResult explicit() throws UsageException {
            RunClock clock = new RunClock();
            try (BareOpenCl device = Opening.bare(context.device()); MatmulExplicit program = new MatmulExplicit(device, n)) {
                for (int run = 0; run < RunClock.RUNS; run++) {
                    program.fill(SEED_A, SEED_B);
                    device.startCounting();
                    clock.start();
                    program.multiply(product -> {
                        clock.stop(product);
                        check("explicit", product);
                        explicitProduct.copyFrom(product);
                    });
                }
                return TwinResult.explicit(clock, device.bytesToDevice(), device.bytesToHost(),
                    MatmulExplicit.class);
            }
        }

        private Report managed(Hmm hmm, MatmulManaged program, RunClock clock) {
            Report before = hmm.report();
            for (int run = 0; run < RunClock.RUNS; run++) {
                program.fill(SEED_A, SEED_B);
                before = hmm.report();
                clock.start();
                program.multiply(product -> {
                    clock.stop(product);
                    check("managed", product);
                    compare(product);
                });
            }
            return hmm.report().since(before);
        }

        private void check(String program, MemorySegment product) {
            MatmulOracle.Check check = oracle.check(product);
            maxError = Math.max(maxError, check.maxError());
            if (!check.ok()) {
                long place = (long) check.row() * n + check.column();
                errors.add(String.format(Locale.ROOT, "%s program, row=%d, column=%d: found=%s, expected=%s",
                    program, check.row(), check.column(), product.getAtIndex(JAVA_FLOAT, place), oracle.at(check.row(), check.column())));
            }
        }

        private void compare(MemorySegment product) {
            long different = product.mismatch(explicitProduct);
            if (different >= 0) {
                long place = different / Float.BYTES;
                errors.add(String.format(Locale.ROOT, "row=%d, column=%d: explicit=%s, managed=%s",
                    place / n, place % n, explicitProduct.getAtIndex(JAVA_FLOAT, place), product.getAtIndex(JAVA_FLOAT, place)));
            }
        }
    }
}
