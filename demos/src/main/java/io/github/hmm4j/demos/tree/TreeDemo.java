package io.github.hmm4j.demos.tree;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Direction;
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
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Option;

/// `hmm demo tree`: data full of pointers, built by Java and searched by a kernel through the same pointers.
public final class TreeDemo implements Demo {
    private static final long SEED = 3;
    private static final int MOST_LOOKUPS = 50_000_000;

    @Option(names = "--text", paramLabel = "FILE",
        description = "The text whose words make the tree; UTF-8. Default: the names of all classes of this JDK.")
    private Optional<Path> text = Optional.empty();

    @Option(names = "--lookups", paramLabel = "N", defaultValue = "1000000",
        description = "How many words to look up in the tree (default: ${DEFAULT-VALUE}).")
    private int lookups = 1_000_000;

    private final UnaryOperator<HmmBuilder> heap;

    public TreeDemo() {
        this(UnaryOperator.identity());
    }

    /// @param heap what else is asked of the heap
    TreeDemo(UnaryOperator<HmmBuilder> heap) {
        this.heap = heap;
    }

    @Override
    public String name() {
        return "tree";
    }

    @Override
    public String description() {
        return "Look up words in a tree that Java built, through Java's own pointers.";
    }

    @Override
    public DemoResult run(RunContext context) throws UsageException, IOException {
        if (lookups < 1 || lookups > MOST_LOOKUPS) {
            throw new UsageException(String.format(Locale.ROOT, "--lookups: %d is not from 1 to %d",
                lookups, MOST_LOOKUPS));
        }
        return new Run(context, words()).both();
    }

    private WordSource words() throws UsageException, IOException {
        if (text.isEmpty()) {
            return WordSource.jdkClassNames();
        }
        try {
            return WordSource.textFile(text.get());
        } catch (NoSuchFileException _) {
            throw new UsageException("--text: there is no such file: " + text.get());
        }
    }

    /// One pass through both programs.
    private final class Run {
        private final RunContext context;
        private final WordSource source;
        private final Lookups asked;
        private final LookupOracle oracle;
        private final List<String> errors = new ArrayList<>();

        Run(RunContext context, WordSource source) {
            this.context = context;
            this.source = source;
            asked = Lookups.random(source.words(), lookups, SEED);
            oracle = LookupOracle.answer(source.words(), asked);
        }

        DemoResult both() throws UsageException {
            long heapBytes = Opening.heapBytes(WordTree.sizeBytes(source.words()), asked.wordsBytes(),
                asked.offsetsBytes(), asked.hashesBytes(), (long) lookups * Integer.BYTES);
            try (Hmm hmm = Opening.heap(context.device(), heapBytes, heap)) {
                TwinResult explicit = explicit();
                RunClock clock = new RunClock();
                TreeManaged program = Opening.isTransparent(hmm) ? new TreeManaged(hmm, source.words(), asked)
                    : new TreeChecked(hmm, source.words(), asked);
                Report moved = managed(hmm, program, clock);
                String walk = walkInJava(hmm, program);
                DemoResult result = new DemoResult(name(), errors.isEmpty(), Opening.label(hmm.device().info()),
                    context.device().binding().toString(), Opening.hostAccess(hmm), Optional.of(explicit),
                    Optional.of(TwinResult.managed(clock, moved, program.getClass())), counts(program.tree()),
                    errors.stream().findFirst());
                TwinPrinter.print(context.out(), headline(program.tree()) + "\n" + walk, result, moved);
                return result;
            }
        }

        private Map<String, Object> counts(WordTree tree) {
            Map<String, Object> counts = new LinkedHashMap<>();
            counts.put("words", tree.nodeCount());
            counts.put("depth", tree.depth());
            counts.put("treeBytes", tree.usedBytes());
            counts.put("lookups", lookups);
            counts.put("hits", oracle.hits());
            counts.put("misses", oracle.misses());
            return counts;
        }

        private String headline(WordTree tree) {
            return String.format(Locale.ROOT, "%s words (%s), depth %d, %s look-ups: %s found, %s absent, %s",
                Units.count(tree.nodeCount()), source.title(), tree.depth(), Units.count(lookups), Units.count(oracle.hits()), Units.count(oracle.misses()), errors.isEmpty() ? "every answer right" : "WRONG");
        }

        private TwinResult explicit() throws UsageException {
            RunClock clock = new RunClock();
            try (BareOpenCl device = Opening.bare(context.device());
                    TreeExplicit program = new TreeExplicit(device, source.words(), asked)) {
                for (int run = 0; run < RunClock.RUNS; run++) {
                    device.startCounting();
                    clock.start();
                    program.search(found -> {
                        clock.stop(found);
                        check("explicit", found);
                    });
                }
                return TwinResult.explicit(clock, device.bytesToDevice(), device.bytesToHost(),
                    TreeExplicit.class);
            }
        }

        private Report managed(Hmm hmm, TreeManaged program, RunClock clock) {
            Report before = hmm.report();
            for (int run = 0; run < RunClock.RUNS; run++) {
                program.bringHome();
                before = hmm.report();
                clock.start();
                program.search(found -> {
                    clock.stop(found);
                    check("managed", found);
                });
            }
            return hmm.report().since(before);
        }

        /// The device has just walked the tree; Java walks it now, where it is.
        private String walkInJava(Hmm hmm, TreeManaged program) {
            Report before = hmm.report();
            String word = source.words().getLast();
            int expected = source.words().size() - 1;
            int found = program.find(word);
            if (found != expected) {
                errors.add(String.format(Locale.ROOT, "Java, word '%s': found=%d, expected=%d", word, found, expected));
            }
            long copied = hmm.report().since(before).bytes(Direction.TO_HOST);
            return String.format(Locale.ROOT, "Java then found '%s' (%d) in the same nodes, from the same root at 0x%x; that copied %s home",
                word, found, program.tree().rootAddress(), Units.bytes(copied));
        }

        private void check(String program, MemorySegment found) {
            oracle.firstError(found).ifPresent(error -> errors.add(program + " program, " + error));
        }
    }
}
