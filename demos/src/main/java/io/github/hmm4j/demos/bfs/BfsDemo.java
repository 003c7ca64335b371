package io.github.hmm4j.demos.bfs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Report;
import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.device.Opening;
import io.github.hmm4j.demos.graph.CsrGraph;
import io.github.hmm4j.demos.graph.GraphFile;
import io.github.hmm4j.demos.graph.JdkClassGraph;
import io.github.hmm4j.demos.graph.NamedGraph;
import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.demos.harness.DemoResult;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.RunClock;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.harness.TwinPrinter;
import io.github.hmm4j.demos.harness.TwinResult;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.report.Units;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Option;

/// `hmm demo bfs`: breadth-first search on a real graph, one launch a level.
public final class BfsDemo implements Demo {
    private static final int BUDGET_SHARE = 8;
    private static final long SMALLEST_BUDGET = ByteSize.kib(256); // some pages of each array

    @Option(names = "--graph", paramLabel = "FILE",
        description = "A graph: edge list (SNAP) or Matrix Market. Default: which class of this JDK names which.")
    private Optional<Path> file = Optional.empty();

    @Option(names = "--source", paramLabel = "V",
        description = "The vertex where the search starts: a number of the file, or a class name. Default: the first"
            + " vertex of a file, java.lang.Object of the JDK.")
    private Optional<String> source = Optional.empty();

    @Option(names = "--paged", description = "The kernel finds the graph page by page, on a device with room for an eighth of it beside the depths.")
    private boolean paged;

    private final UnaryOperator<HmmBuilder> heap;

    public BfsDemo() {
        this(UnaryOperator.identity());
    }

    /// @param heap what else is asked of the heap
    BfsDemo(UnaryOperator<HmmBuilder> heap) {
        this.heap = heap;
    }

    @Override
    public String name() {
        return "bfs";
    }

    @Override
    public String description() {
        return "Search a graph breadth-first, one launch a level.";
    }

    @Override
    public DemoResult run(RunContext context) throws UsageException, IOException {
        NamedGraph named = graph();
        int from = named.defaultSource();
        if (source.isPresent()) {
            OptionalInt vertex = named.names().vertex(source.get());
            from = vertex.orElseThrow(() -> new UsageException("--source: there is no vertex '%s'; expected %s"
                .formatted(source.get(), named.names().describe())));
        }
        named.warnings().forEach(warning -> context.out().println("warning: " + warning));
        return new Run(context, named, from).both();
    }

    private NamedGraph graph() throws UsageException, IOException {
        if (file.isEmpty()) {
            return JdkClassGraph.extract();
        }
        try {
            return GraphFile.read(file.get());
        } catch (NoSuchFileException _) {
            throw new UsageException("--graph: there is no such file: " + file.get());
        }
    }

    /// One pass through both programs.
    private final class Run {
        private final RunContext context;
        private final DeviceChoice choice;
        private final NamedGraph named;
        private final CsrGraph graph;
        private final int from;
        private final BfsLevels expected;
        private final List<String> errors = new ArrayList<>();

        Run(RunContext context, NamedGraph named, int from) throws UsageException {
            this.context = context;
            this.named = named;
            this.graph = named.graph();
            this.from = from;
            choice = paged ? small(context.device()) : context.device();
            if (paged && choice.budgetBytes().orElseThrow() < leastBudgetBytes()) {
                throw new UsageException("--budget: the explicit program needs at least %s bytes for the depths and a block of this graph, not %s"
                    .formatted(leastBudgetBytes(), choice.budgetBytes().orElseThrow()));
            }
            expected = BfsOracle.search(graph, from);
        }

        private long graphBytes() {
            return graph.rowOffsets().byteSize() + graph.columns().byteSize();
        }

        private long depthBytes() {
            return (long) graph.vertexCount() * Integer.BYTES;
        }

        /// What the explicit program needs on the device: the depths, the flag, and a block with room for any vertex and its edges.
        private long leastBudgetBytes() {
            long most = 0;
            for (int vertex = 0; vertex < graph.vertexCount(); vertex++) {
                most = Math.max(most, graph.rowOffsets().getAtIndex(JAVA_LONG, vertex + 1) - graph.rowOffsets().getAtIndex(JAVA_LONG, vertex));
            }
            return depthBytes() + Integer.BYTES + 2 * Long.BYTES + most * Integer.BYTES;
        }

        private DeviceChoice small(DeviceChoice chosen) {
            DeviceChoice fine = chosen.pageSizeBytes().isPresent() ? chosen : chosen.withPageSize(ByteSize.kib(4));
            long share = graphBytes() / BUDGET_SHARE + 2 * depthBytes();
            return fine.orBudget(Math.max(SMALLEST_BUDGET, Math.max(share, leastBudgetBytes())));
        }

        DemoResult both() throws UsageException {
            TwinResult explicit = explicit();
            long heapBytes = Opening.heapBytes(graph.rowOffsets().byteSize(), Math.max(1, graph.columns().byteSize()),
                depthBytes(), Integer.BYTES);
            try (Hmm hmm = Opening.heap(choice, heapBytes, heap)) {
                RunClock clock = new RunClock();
                List<BfsLevels> found = new ArrayList<>();
                BfsManaged program = Opening.isTransparent(hmm) ? new BfsManaged(hmm, graph, paged) : new BfsChecked(hmm, graph, paged);
                Report moved = managed(hmm, program, clock, found);
                BfsLevels levels = found.getLast();
                DemoResult result = new DemoResult(name(), errors.isEmpty(), Opening.label(hmm.device().info()),
                    choice.binding().toString(), Opening.hostAccess(hmm), Optional.of(explicit),
                    Optional.of(TwinResult.managed(clock, moved, program.getClass())), counts(hmm, levels),
                    errors.stream().findFirst());
                TwinPrinter.print(context.out(), headline(hmm, levels), result, moved);
                return result;
            }
        }

        private Map<String, Object> counts(Hmm hmm, BfsLevels levels) {
            Map<String, Object> counts = new LinkedHashMap<>();
            counts.put("graph", named.title());
            counts.put("edges", graph.edgeCount());
            counts.put("source", named.names().name(from));
            counts.put("reached", levels.reached());
            counts.put("of", levels.of());
            counts.put("depth", levels.depth());
            if (paged) {
                counts.put("budgetBytes", hmm.device().budgetBytes());
                counts.put("leastBytesToDevice", graphBytes() + depthBytes());
            }
            return counts;
        }

        private String headline(Hmm hmm, BfsLevels levels) {
            return String.format(Locale.ROOT, "%s, %s edges: from %s reached %s of %s vertices, depth %d, %s",
                named.title(), Units.count(graph.edgeCount()), named.names().name(from), Units.count(levels.reached()),
                Units.count(levels.of()), levels.depth(), errors.isEmpty() ? "every depth right" : "WRONG") + (paged ? budgetLine(hmm) : "");
        }

        private String budgetLine(Hmm hmm) {
            return "\nthe graph has %s, on a device that may hold %s; each byte of it and of the depths once is %s to the device, and the depths %s to the host".formatted(Units.bytes(graphBytes()),
                Units.bytes(hmm.device().budgetBytes()), Units.bytes(graphBytes() + depthBytes()), Units.bytes(depthBytes()));
        }

        private BfsSearch search(BareOpenCl device) {
            return paged ? new BfsBlocksExplicit(device, graph, choice.budgetBytes().orElseThrow()) : new BfsExplicit(device, graph);
        }

        private TwinResult explicit() throws UsageException {
            RunClock clock = new RunClock();
            try (BareOpenCl device = Opening.bare(choice); BfsSearch program = search(device)) {
                for (int run = 0; run < RunClock.RUNS; run++) {
                    device.startCounting();
                    clock.start();
                    program.search(from, depths -> {
                        clock.stop(depths);
                        check("explicit", depths);
                    });
                }
                return TwinResult.explicit(clock, device.bytesToDevice(), device.bytesToHost(),
                    program.getClass());
            }
        }

        private Report managed(Hmm hmm, BfsManaged program, RunClock clock, List<BfsLevels> found) {
            Report before = hmm.report();
            for (int run = 0; run < RunClock.RUNS; run++) {
                program.bringHome();
                before = hmm.report();
                clock.start();
                program.search(from, depths -> {
                    clock.stop(depths);
                    found.add(check("managed", depths));
                });
            }
            return hmm.report().since(before);
        }

        private BfsLevels check(String program, MemorySegment depths) {
            BfsLevels levels = BfsLevels.of(depths.toArray(JAVA_INT));
            int vertex = levels.firstDifference(expected);
            if (vertex >= 0) {
                errors.add(String.format(Locale.ROOT, "%s program, vertex %s: depth=%d, expected=%d",
                    program, named.names().name(vertex), levels.depthOf(vertex), expected.depthOf(vertex)));
            }
            return levels;
        }
    }
}
