package io.github.hmm4j.demos.gather;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.github.hmm4j.ByteSize;
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
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Option;

/// `hmm demo gather`: random rows of a table that is larger than the device's memory may be.
public final class GatherDemo implements Demo {
    private static final int LARGEST = 1 << 18; // 1 GiB
    private static final int SHARE = 100;
    private static final int BUDGET_SHARE = 8;
    private static final long SEED = 5;

    @Option(names = "--table-rows", paramLabel = "N", defaultValue = "32768",
        description = "Rows of 4 KiB in the table of gather, of which one in a hundred is gathered (default: ${DEFAULT-VALUE}).")
    private int tableRows = 32_768;

    private final UnaryOperator<HmmBuilder> heap;

    public GatherDemo() {
        this(UnaryOperator.identity());
    }

    /// @param heap what else is asked of the heap
    GatherDemo(UnaryOperator<HmmBuilder> heap) {
        this.heap = heap;
    }

    @Override
    public String name() {
        return "gather";
    }

    @Override
    public String description() {
        return "Gather random rows of a table that is eight times what the device may hold.";
    }

    @Override
    public DemoResult run(RunContext context) throws UsageException {
        if (tableRows < 1 || tableRows > LARGEST) {
            throw new UsageException(String.format(Locale.ROOT, "--table-rows: %d is not from 1 to %d",
                tableRows, LARGEST));
        }
        return new Run(context, Rows.random(tableRows, Math.ceilDiv(tableRows, SHARE), SEED)).both();
    }

    /// One pass through both programs.
    private final class Run {
        private final RunContext context;
        private final Rows task;
        private final DeviceChoice choice;
        private final List<String> errors = new ArrayList<>();

        Run(RunContext context, Rows task) {
            this.context = context;
            this.task = task;
            DeviceChoice small = context.device().pageSizeBytes().isPresent() ? context.device() : context.device().withPageSize(ByteSize.kib(4));
            choice = small.orBudget(task.tableBytes() / BUDGET_SHARE);
        }

        DemoResult both() throws UsageException {
            TwinResult explicit = explicit();
            try (Hmm hmm = Opening.heap(choice, Opening.heapBytes(task.tableBytes(), task.gatheredBytes(), (long) task.count() * Integer.BYTES), heap)) {
                RunClock clock = new RunClock();
                GatherManaged program = Opening.isTransparent(hmm) ? new GatherManaged(hmm, task) : new GatherChecked(hmm, task);
                Report moved = managed(hmm, program, clock);
                DemoResult result = new DemoResult(name(), errors.isEmpty(), Opening.label(hmm.device().info()), choice.binding().toString(), Opening.hostAccess(hmm), Optional.of(explicit),
                    Optional.of(TwinResult.managed(clock, moved, program.getClass())), counts(hmm), errors.stream().findFirst());
                TwinPrinter.print(context.out(), headline(hmm), result, moved);
                return result;
            }
        }

        private Map<String, Object> counts(Hmm hmm) {
            Map<String, Object> counts = new LinkedHashMap<>();
            counts.put("tableBytes", task.tableBytes());
            counts.put("budgetBytes", hmm.device().budgetBytes());
            counts.put("rows", task.count());
            counts.put("leastBytesToDevice", task.leastBytesToDevice());
            counts.put("leastBytesToHost", task.gatheredBytes());
            return counts;
        }

        private String headline(Hmm hmm) {
            return "%s rows of a table of %s, on a device that may hold %s: %s; the least that can move is %s to the device and %s to the host".formatted(
                Units.count(task.count()), Units.bytes(task.tableBytes()), Units.bytes(hmm.device().budgetBytes()), errors.isEmpty() ? "every element right" : "WRONG",
                Units.bytes(task.leastBytesToDevice()), Units.bytes(task.gatheredBytes()));
        }

        private TwinResult explicit() throws UsageException {
            RunClock clock = new RunClock();
            try (BareOpenCl device = Opening.bare(choice); GatherExplicit program = new GatherExplicit(device, task, choice.budgetBytes().orElseThrow())) {
                for (int run = 0; run < RunClock.RUNS; run++) {
                    device.startCounting();
                    clock.start();
                    program.gather(rows -> {
                        clock.stop(rows);
                        check("explicit", rows);
                    });
                }
                return TwinResult.explicit(clock, device.bytesToDevice(), device.bytesToHost(), GatherExplicit.class);
            }
        }

        private Report managed(Hmm hmm, GatherManaged program, RunClock clock) {
            Report before = hmm.report();
            for (int run = 0; run < RunClock.RUNS; run++) {
                program.bringHome();
                before = hmm.report();
                clock.start();
                program.gather(rows -> {
                    clock.stop(rows);
                    check("managed", rows);
                });
            }
            return hmm.report().since(before);
        }

        private void check(String program, MemorySegment rows) {
            int index = task.firstError(rows);
            if (index >= 0) {
                errors.add(String.format(Locale.ROOT, "%s program, row=%d, column=%d: found=%s, expected=%s",
                    program, index / Rows.WIDTH, index % Rows.WIDTH, rows.getAtIndex(JAVA_FLOAT, index), task.expected(index)));
            }
        }
    }
}
