package io.github.hmm4j.demos.plain;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Report;
import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.device.Opening;
import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.demos.harness.DemoResult;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.RunClock;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.harness.TwinPrinter;
import io.github.hmm4j.demos.harness.TwinResult;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.report.Units;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.mirror.Placement;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Option;

/// `hmm demo unmodified-paged`: kernels that know nothing of pages over four times what the device may hold.
public final class PlainDemo implements Demo {
    private static final int LARGEST = 1 << 17; // 512 MiB each
    private static final int BUDGET_SHARE = 4;
    private static final long PAGE_BYTES = 4096;
    private static final int PAGES_OF_AN_INSTRUCTION = 33; // and one on its way in: a device has room for so many for each of its threads

    @Option(names = "--rows", paramLabel = "N", defaultValue = "8192", description = "Rows of 4 KiB that unmodified-paged works on (default: ${DEFAULT-VALUE}).")
    private int rows = 8192;

    private final UnaryOperator<HmmBuilder> heap;

    public PlainDemo() {
        this(UnaryOperator.identity());
    }

    /// @param heap what else is asked of the heap
    PlainDemo(UnaryOperator<HmmBuilder> heap) {
        this.heap = heap;
    }

    @Override
    public String name() {
        return "unmodified-paged";
    }

    @Override
    public String description() {
        return "Run kernels that know nothing of pages over four times what the device may hold.";
    }

    @Override
    public DemoResult run(RunContext context) throws UsageException {
        if (rows < 1 || rows > LARGEST) {
            throw new UsageException(String.format(Locale.ROOT, "--rows: %d is not from 1 to %d", rows, LARGEST));
        }
        return new Run(context).both();
    }

    /// One pass through both programs.
    private final class Run {
        private final RunContext context;
        private final DeviceChoice choice;
        private final long pictureBytes = (long) rows * Picture.ROW_BYTES;
        private final List<String> errors = new ArrayList<>();

        Run(RunContext context) {
            this.context = context;
            choice = context.device().pageSizeBytes().isPresent() ? context.device() : context.device().withPageSize(PAGE_BYTES);
        }

        DemoResult both() throws UsageException {
            long heapBytes = Opening.heapBytes(pictureBytes, pictureBytes, pictureBytes, (long) rows * Long.BYTES, pictureBytes); // with room between regions
            try (Hmm hmm = open(heapBytes)) {
                TwinResult explicit = explicit(hmm.device().budgetBytes());
                RunClock clock = new RunClock();
                PlainManaged program = Opening.isTransparent(hmm) ? new PlainManaged(hmm, rows) : new PlainChecked(hmm, rows);
                Report moved = managed(hmm, program, clock);
                DemoResult result = new DemoResult(name(), errors.isEmpty(), Opening.label(hmm.device().info()), choice.binding().toString(), Opening.hostAccess(hmm), Optional.of(explicit),
                    Optional.of(TwinResult.managed(clock, moved, program.getClass())), counts(hmm), errors.stream().findFirst());
                TwinPrinter.print(context.out(), headline(hmm), result, moved);
                return result;
            }
        }

        /// A heap whose kernels fault, if that can be had; else one with as much of the device as there is.
        private Hmm open(long heapBytes) throws UsageException {
            if (!worksInHostMemory()) {
                context.out().printf("%s: kernels fault on devices that are the host's processors, so this one has to hold everything%n", name());
            } else {
                DeviceChoice small = choice.orBudget(Math.max(3 * pictureBytes / BUDGET_SHARE, leastBytes()));
                try {
                    return heap.apply(Opening.settings(small, heapBytes).deviceFaults()).open();
                } catch (HostAccessUnavailableException e) {
                    context.out().printf("%s: kernels of this device do not fault here, so it has to hold everything: %s%n", name(), e.getMessage());
                } catch (IllegalArgumentException e) {
                    throw new UsageException("--budget: " + e.getMessage());
                }
            }
            return Opening.heap(choice, heapBytes, heap);
        }

        private boolean worksInHostMemory() throws UsageException {
            try (BareOpenCl device = Opening.bare(choice)) {
                return device.info().kind() == DeviceInfo.Kind.CPU;
            }
        }

        private long leastBytes() throws UsageException {
            try (BareOpenCl device = Opening.bare(choice)) {
                return (long) PAGES_OF_AN_INSTRUCTION * device.info().computeUnits() * choice.pageSizeBytes().orElse(PAGE_BYTES);
            }
        }

        private boolean faults(Hmm hmm) {
            return hmm.device().placement() == Placement.FAULTING;
        }

        private Map<String, Object> counts(Hmm hmm) {
            Map<String, Object> counts = new LinkedHashMap<>();
            counts.put("rows", rows);
            counts.put("kernelsFault", faults(hmm));
            counts.put("budgetBytes", hmm.device().budgetBytes());
            counts.put("leastBytesToDevice", pictureBytes);
            counts.put("leastBytesToHost", pictureBytes + (long) rows * Long.BYTES);
            return counts;
        }

        private String headline(Hmm hmm) {
            return "three kernels over %s, on a device that may hold %s: %s; the least that can move is %s to the device and %s to the host".formatted(Units.bytes(3 * pictureBytes),
                Units.bytes(hmm.device().budgetBytes()), errors.isEmpty() ? "every sum and every byte right" : "WRONG", Units.bytes(pictureBytes), Units.bytes(pictureBytes + (long) rows * Long.BYTES));
        }

        private TwinResult explicit(long budgetBytes) throws UsageException {
            RunClock clock = new RunClock();
            try (BareOpenCl device = Opening.bare(choice); PlainExplicit program = new PlainExplicit(device, rows, budgetBytes)) {
                for (int run = 0; run < RunClock.RUNS; run++) {
                    device.startCounting();
                    clock.start();
                    program.run((sums, blurred) -> {
                        clock.stop(blurred);
                        check("explicit", sums, blurred);
                    });
                }
                return TwinResult.explicit(clock, device.bytesToDevice(), device.bytesToHost(), PlainExplicit.class);
            }
        }

        private Report managed(Hmm hmm, PlainManaged program, RunClock clock) {
            Report before = hmm.report();
            for (int run = 0; run < RunClock.RUNS; run++) {
                hmm.evictAll(hmm.device());
                before = hmm.report();
                clock.start();
                program.run((sums, blurred) -> {
                    clock.stop(blurred);
                    check("managed", sums, blurred);
                });
            }
            return hmm.report().since(before);
        }

        private void check(String program, MemorySegment sums, MemorySegment blurred) {
            for (long row = 0; row < rows; row++) {
                if (sums.getAtIndex(JAVA_LONG, row) != Picture.expectedSum(row)) {
                    errors.add(String.format(Locale.ROOT, "%s program, row %d: sum=%d, expected=%d", program, row, sums.getAtIndex(JAVA_LONG, row), Picture.expectedSum(row)));
                    break;
                }
            }
            long offset = Picture.firstError(blurred);
            if (offset >= 0) {
                errors.add(String.format(Locale.ROOT, "%s program, byte %d of the blurred picture is wrong", program, offset));
            }
        }
    }
}
