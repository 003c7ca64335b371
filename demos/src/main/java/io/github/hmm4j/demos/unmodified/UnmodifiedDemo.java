package io.github.hmm4j.demos.unmodified;

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
import io.github.hmm4j.demos.report.Units;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Option;

/// `hmm demo unmodified`: a compressor, checksums and files take turns with kernels on the same memory.
public final class UnmodifiedDemo implements Demo {
    private static final long SEED = 4;
    private static final int MOST_VALUES = 100_000_000;

    @Option(names = "--values", paramLabel = "N", defaultValue = "4000000",
        description = "How many numbers to pack into a file and get back (default: ${DEFAULT-VALUE}).")
    private int values = 4_000_000;

    private final UnaryOperator<HmmBuilder> heap;

    public UnmodifiedDemo() {
        this(UnaryOperator.identity());
    }

    /// @param heap what else is asked of the heap
    UnmodifiedDemo(UnaryOperator<HmmBuilder> heap) {
        this.heap = heap;
    }

    @Override
    public String name() {
        return "unmodified";
    }

    @Override
    public String description() {
        return "Compress what a kernel wrote, with libraries that know nothing of it.";
    }

    @Override
    public DemoResult run(RunContext context) throws UsageException, IOException {
        if (values < 1 || values > MOST_VALUES) {
            throw new UsageException(String.format(Locale.ROOT, "--values: %d is not from 1 to %d",
                values, MOST_VALUES));
        }
        Path expectedFile = Files.createTempFile("hmm-expected", ".zst");
        Path file = Files.createTempFile("hmm-unmodified", ".zst");
        try {
            return new Run(context, CpuOnly.pack(expectedFile, values, SEED), expectedFile, file).both();
        } finally {
            Files.delete(expectedFile);
            Files.delete(file);
        }
    }

    /// One of the two programs.
    @FunctionalInterface
    private interface Packing {
        Outcome packAndUnpack(Path file) throws IOException;
    }

    /// One pass through both programs.
    private final class Run {
        private final RunContext context;
        private final Outcome expected;
        private final Path expectedFile;
        private final Path file;
        private final List<String> errors = new ArrayList<>();

        Run(RunContext context, Outcome expected, Path expectedFile, Path file) {
            this.context = context;
            this.expected = expected;
            this.expectedFile = expectedFile;
            this.file = file;
        }

        DemoResult both() throws UsageException, IOException {
            TwinResult explicit = explicit();
            long plainBytes = plainBytes();
            long heapBytes = Opening.heapBytes(plainBytes, plainBytes, Libraries.packedBytes(plainBytes), plainBytes, plainBytes);
            try (Hmm hmm = Opening.heap(context.device(), heapBytes, heap)) {
                RunClock clock = new RunClock();
                Report moved = managed(hmm, clock);
                DemoResult result = new DemoResult(name(), errors.isEmpty(), Opening.label(hmm.device().info()),
                    context.device().binding().toString(), Opening.hostAccess(hmm), Optional.of(explicit),
                    Optional.of(TwinResult.managed(clock, moved, UnmodifiedManaged.class)), counts(),
                    errors.stream().findFirst());
                TwinPrinter.print(context.out(), headline(), result, moved);
                return result;
            }
        }

        private long plainBytes() {
            return (long) values * Float.BYTES;
        }

        private Map<String, Object> counts() {
            Map<String, Object> counts = new LinkedHashMap<>();
            counts.put("values", values);
            counts.put("plainBytes", plainBytes());
            counts.put("packedBytes", expected.packedBytes());
            counts.put("crc32c", String.format(Locale.ROOT, "%08x", expected.planesCrc()));
            counts.put("sha256", expected.restoredDigest());
            return counts;
        }

        private String headline() {
            return "%s floats (%s) shuffled by a kernel, packed by zstd into a file of %s, and all the way back: %s".formatted(
                Units.count(values), Units.bytes(plainBytes()), Units.bytes(expected.packedBytes()), errors.isEmpty()
                    ? "the same file, checksum and numbers as without a device" : "WRONG");
        }

        private TwinResult explicit() throws UsageException, IOException {
            RunClock clock = new RunClock();
            try (BareOpenCl device = Opening.bare(context.device());
                    UnmodifiedExplicit program = new UnmodifiedExplicit(device, values, new Libraries())) {
                for (int run = 0; run < RunClock.RUNS; run++) {
                    program.fill(SEED);
                    device.startCounting();
                    timed("explicit", clock, program::packAndUnpack);
                }
                return TwinResult.explicit(clock, device.bytesToDevice(), device.bytesToHost(),
                    UnmodifiedExplicit.class);
            }
        }

        private Report managed(Hmm hmm, RunClock clock) throws IOException {
            Libraries libraries = Opening.isTransparent(hmm) ? new Libraries() : new LibrariesOnViews(hmm.heap());
            UnmodifiedManaged program = new UnmodifiedManaged(hmm, values, libraries);
            Report before = hmm.report();
            for (int run = 0; run < RunClock.RUNS; run++) {
                program.fill(SEED);
                before = hmm.report();
                timed("managed", clock, program::packAndUnpack);
            }
            return hmm.report().since(before);
        }

        private void timed(String name, RunClock clock, Packing program) throws IOException {
            Files.write(file, new byte[0]);
            clock.start();
            Outcome outcome = program.packAndUnpack(file);
            clock.stop(); // the last thing that it did was to read the whole result
            if (!outcome.equals(expected)) {
                errors.add("%s program: found=%s, expected=%s".formatted(name, outcome, expected));
            }
            long differs = Files.mismatch(file, expectedFile);
            if (differs >= 0) {
                errors.add(String.format(Locale.ROOT, "%s program: its file differs from byte %d on", name, differs));
            }
        }
    }
}
