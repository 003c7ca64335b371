package io.github.hmm4j.demos.join;

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

/// `hmm demo join`: a table that is larger than what the device may hold, joined with a small one that stays there.
public final class JoinDemo implements Demo {
    private static final int LARGEST = 1 << 27; // 1 GiB
    private static final int BUDGET_SHARE = 8;
    private static final int ORDERS_OF_AN_ARTICLE = 256;
    private static final long SMALLEST_BUDGET = ByteSize.mib(1); // some pages of each table

    @Option(names = "--orders", paramLabel = "N", defaultValue = "16777216",
        description = "Rows of 8 bytes in the large table of join; the small one has a key for every 256 of them (default: ${DEFAULT-VALUE}).")
    private int orders = 16_777_216;

    private final UnaryOperator<HmmBuilder> heap;

    public JoinDemo() {
        this(UnaryOperator.identity());
    }

    /// @param heap what else is asked of the heap
    JoinDemo(UnaryOperator<HmmBuilder> heap) {
        this.heap = heap;
    }

    @Override
    public String name() {
        return "join";
    }

    @Override
    public String description() {
        return "Join a table that is eight times what the device may hold with a small one that stays there.";
    }

    @Override
    public DemoResult run(RunContext context) throws UsageException {
        if (orders < 1 || orders > LARGEST) {
            throw new UsageException(String.format(Locale.ROOT, "--orders: %d is not from 1 to %d", orders, LARGEST));
        }
        return new Run(context, new Orders(orders, Math.ceilDiv(orders, ORDERS_OF_AN_ARTICLE))).both();
    }

    /// One pass through both programs.
    private final class Run {
        private final RunContext context;
        private final DeviceChoice choice;
        private final Orders task;
        private final List<String> errors = new ArrayList<>();

        Run(RunContext context, Orders task) {
            this.context = context;
            this.task = task;
            choice = context.device().orBudget(Math.max(SMALLEST_BUDGET, (task.probeBytes() + task.buildBytes()) / BUDGET_SHARE));
        }

        DemoResult both() throws UsageException {
            TwinResult explicit = explicit();
            try (Hmm hmm = Opening.heap(choice, Opening.heapBytes(task.probeBytes(), task.buildBytes(), task.probeBytes() / Orders.ROW_BYTES), heap)) {
                RunClock clock = new RunClock();
                JoinManaged program = Opening.isTransparent(hmm) ? new JoinManaged(hmm, task) : new JoinChecked(hmm, task);
                Report moved = managed(hmm, program, clock);
                DemoResult result = new DemoResult(name(), errors.isEmpty(), Opening.label(hmm.device().info()), choice.binding().toString(), Opening.hostAccess(hmm), Optional.of(explicit),
                    Optional.of(TwinResult.managed(clock, moved, program.getClass())), counts(hmm), errors.stream().findFirst());
                TwinPrinter.print(context.out(), headline(hmm), result, moved);
                return result;
            }
        }

        private Map<String, Object> counts(Hmm hmm) {
            Map<String, Object> counts = new LinkedHashMap<>();
            counts.put("orders", orders);
            counts.put("budgetBytes", hmm.device().budgetBytes());
            counts.put("leastBytesToDevice", task.probeBytes() + task.buildBytes());
            return counts;
        }

        private String headline(Hmm hmm) {
            return "%s orders (%s) and %s of prices, on a device that may hold %s: %s; the least that can move is %s to the device".formatted(
                Units.count(orders), Units.bytes(task.probeBytes()), Units.bytes(task.buildBytes()), Units.bytes(hmm.device().budgetBytes()), errors.isEmpty() ? "every sum right" : "WRONG",
                Units.bytes(task.probeBytes() + task.buildBytes()));
        }

        private TwinResult explicit() throws UsageException {
            RunClock clock = new RunClock();
            try (BareOpenCl device = Opening.bare(choice); JoinExplicit program = new JoinExplicit(device, task, choice.budgetBytes().orElseThrow())) {
                for (int run = 0; run < RunClock.RUNS; run++) {
                    device.startCounting();
                    clock.start();
                    program.join(result -> {
                        clock.stop(result);
                        check("explicit", result, JoinExplicit.CHUNK);
                    });
                }
                return TwinResult.explicit(clock, device.bytesToDevice(), device.bytesToHost(), JoinExplicit.class);
            }
        }

        private Report managed(Hmm hmm, JoinManaged program, RunClock clock) {
            Report before = hmm.report();
            for (int run = 0; run < RunClock.RUNS; run++) {
                program.bringHome();
                before = hmm.report();
                clock.start();
                program.join(result -> {
                    clock.stop(result);
                    check("managed", result, program.chunk);
                });
            }
            return hmm.report().since(before);
        }

        private void check(String program, MemorySegment result, int chunk) {
            String error = task.firstError(result, chunk);
            if (!error.isEmpty()) {
                errors.add(program + " program, " + error);
            }
        }
    }
}
