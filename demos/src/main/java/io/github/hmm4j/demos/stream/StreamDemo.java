package io.github.hmm4j.demos.stream;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

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

/// `hmm demo stream`: arrays that together are larger than what the device may hold, from end to end.
public final class StreamDemo implements Demo {
    private static final int LARGEST = 1 << 28; // 2 GiB in all
    private static final int BUDGET_SHARE = 4;

    @Option(names = "--elements", paramLabel = "N", defaultValue = "16777216",
        description = "Floats that go in and come out of stream (default: ${DEFAULT-VALUE}).")
    private int elements = 16_777_216;

    private final UnaryOperator<HmmBuilder> heap;

    public StreamDemo() {
        this(UnaryOperator.identity());
    }

    /// @param heap what else is asked of the heap
    StreamDemo(UnaryOperator<HmmBuilder> heap) {
        this.heap = heap;
    }

    @Override
    public String name() {
        return "stream";
    }

    @Override
    public String description() {
        return "Stream through arrays that are four times what the device may hold.";
    }

    @Override
    public DemoResult run(RunContext context) throws UsageException {
        if (elements < 1 || elements > LARGEST) {
            throw new UsageException(String.format(Locale.ROOT, "--elements: %d is not from 1 to %d",
                elements, LARGEST));
        }
        return new Run(context).both();
    }

    /// One pass through both programs.
    private final class Run {
        private final RunContext context;
        private final DeviceChoice choice;
        private final long arrayBytes = (long) elements * Float.BYTES;
        private final List<String> errors = new ArrayList<>();

        Run(RunContext context) {
            this.context = context;
            choice = context.device().orBudget(2 * arrayBytes / BUDGET_SHARE);
        }

        DemoResult both() throws UsageException {
            TwinResult explicit = explicit();
            try (Hmm hmm = Opening.heap(choice, Opening.heapBytes(arrayBytes, arrayBytes), heap)) {
                RunClock clock = new RunClock();
                StreamManaged program = Opening.isTransparent(hmm) ? new StreamManaged(hmm, elements) : new StreamChecked(hmm, elements);
                Report moved = managed(hmm, program, clock);
                DemoResult result = new DemoResult(name(), errors.isEmpty(), Opening.label(hmm.device().info()), choice.binding().toString(), Opening.hostAccess(hmm), Optional.of(explicit),
                    Optional.of(TwinResult.managed(clock, moved, program.getClass())), counts(hmm), errors.stream().findFirst());
                TwinPrinter.print(context.out(), headline(hmm), result, moved);
                return result;
            }
        }

        private Map<String, Object> counts(Hmm hmm) {
            Map<String, Object> counts = new LinkedHashMap<>();
            counts.put("elements", elements);
            counts.put("budgetBytes", hmm.device().budgetBytes());
            counts.put("leastBytesToDevice", arrayBytes);
            counts.put("leastBytesToHost", arrayBytes);
            return counts;
        }

        private String headline(Hmm hmm) {
            return "%s in and %s out, on a device that may hold %s: %s; the least that can move is %s to the device and as much to the host".formatted(
                Units.bytes(arrayBytes), Units.bytes(arrayBytes), Units.bytes(hmm.device().budgetBytes()), errors.isEmpty() ? "every element right" : "WRONG", Units.bytes(arrayBytes));
        }

        private TwinResult explicit() throws UsageException {
            RunClock clock = new RunClock();
            try (BareOpenCl device = Opening.bare(choice); StreamExplicit program = new StreamExplicit(device, elements, choice.budgetBytes().orElseThrow())) {
                for (int run = 0; run < RunClock.RUNS; run++) {
                    device.startCounting();
                    clock.start();
                    program.stream(result -> {
                        clock.stop(result);
                        check("explicit", result);
                    });
                }
                return TwinResult.explicit(clock, device.bytesToDevice(), device.bytesToHost(), StreamExplicit.class);
            }
        }

        private Report managed(Hmm hmm, StreamManaged program, RunClock clock) {
            Report before = hmm.report();
            for (int run = 0; run < RunClock.RUNS; run++) {
                program.bringHome();
                before = hmm.report();
                clock.start();
                program.stream(result -> {
                    clock.stop(result);
                    check("managed", result);
                });
            }
            return hmm.report().since(before);
        }

        private void check(String program, MemorySegment result) {
            long index = Numbers.firstError(result);
            if (index >= 0) {
                errors.add(String.format(Locale.ROOT, "%s program, element %d: found=%s, expected=%s",
                    program, index, result.getAtIndex(JAVA_FLOAT, index), Numbers.expected(index)));
            }
        }
    }
}
