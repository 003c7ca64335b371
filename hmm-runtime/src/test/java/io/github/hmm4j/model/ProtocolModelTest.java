package io.github.hmm4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The page protocol, as `src/test/spin/page-protocol.pml` says it, is right in every scenario, and each mutant of it is wrong in the way that its name says.
///
/// A search counts only if it was complete and went through the steps that the scenario is there for.
@Timeout(20 * 60)
@Tag("exhaustive")
class ProtocolModelTest {

    private static final Path FOLDER = Path.of("src/test/spin").toAbsolutePath();
    private static final Path MODEL = FOLDER.resolve("page-protocol.pml");

    /// Of the model and of what it includes.
    private static final List<String> SOURCES = List.of("page-protocol.pml", "region-changes.pml");
    private static final Path SCRATCH = Path.of("target/spin").toAbsolutePath();

    private static final ExecutorService SEARCHES = Executors.newFixedThreadPool(Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 4));
    private static final Map<Enum<?>, Future<String>> REPORTS = new HashMap<>();

    /// Steps of the model are marked with `reach: NAME` in a comment.
    private static final Pattern MARK = Pattern.compile("/\\* reach: ([a-z-]+) \\*/");

    /// A part of the protocol that is searched exhaustively.
    private enum Scenario {
        TWO_DEVICES(
                6_000_000,
                cpu("java-claim-lost", "waits-for-decision"),
                launcher("has-it-already", "raced", "copied-directly", "peer-had-it", "peer-waits-for-decision", "insists-on-a-peers-page", "moves-again")),
        THREE_DEVICES(
                6_000_000,
                cpu("gives-peers-back", "waits-for-decision"),
                launcher("copied-directly", "peer-had-it", "gives-peers-back", "insists-on-a-peers-page", "moves-again")),
        ONE_DEVICE(3_000_000, cpu("waits-for-decision"), launcher("has-it-already", "raced", "moves-again")),
        TWO_THREADS(3_000_000, cpu("java-claim-lost"), launcher("raced", "peer-had-it", "moves-again")),
        EVICTION(7_000_000, cpu("java-claim-lost"), launcher("raced", "peer-had-it"), evictor("waits-for-decision")),
        DROPPED(5_000_000, launcher("copied-directly", "insists-on-a-peers-page"), dropper("drops-beside-host", "leaves-one-device", "leaves-peers", "dropped")),
        DROPPED_AND_TOUCHED(3_000_000, cpu("waits-for-decision"), launcher("raced", "copied-directly"), dropper("drops-beside-host", "leaves-one-device", "dropped")),
        CROSSED(9_000_000, cpu("java-claim-lost"), launcher("raced", "copied-directly", "peer-had-it", "insists-on-a-peers-page", "moves-again")),
        TWO_FAULTS(7_000_000, cpu("java-claim-lost"), launcher("raced", "peer-had-it", "moves-again")),
        RANGES(4_000_000, cpu("waits-for-decision"), evictor("leaves-one-page", "gives-all-back", "java-claim-lost")),
        RANGE_OF_A_PEER(7_000_000, cpu("waits-for-decision"), launcher("moved-both", "leaves-one-page", "gives-peers-back", "copied-directly", "moves-again")),
        LONG_RUN(300_000, cpu("java-claim-lost"), launcher("has-it-already", "raced", "moves-again")),
        LAUNCH_AGAIN(500_000, launcher("has-it-already", "raced", "copied-directly", "insists-on-a-peers-page", "moves-again")),
        TOGETHER(6_000_000, cpu("waits-for-decision"), launcher("raced", "copied-directly", "peer-had-it", "insists-on-a-peers-page", "moves-again")),
        BESIDE(10_000_000, launcher("insists-on-a-peers-page"), mover("raced", "copied-directly", "moved"), dropper("dropped")),
        OUTPUTS(20_000_000, cpu("waits-for-decision"), launcher("output-lost", "takes-outputs-back", "outputs-withdrawn", "moves-again")),
        SAME_OUTPUTS(4_000_000, launcher("gives-outputs-back", "takes-outputs-back", "leaves-to-the-gate", "takes-outputs", "leaves-outputs-to-others", "outputs-withdrawn", "moves-again")),
        IN_PLACE(6_000_000, cpu("waits-for-decision"), launcher("raced", "copied-directly", "insists-on-a-peers-page", "insists-and-brings-home", "moves-again")),
        TURNS(2_000_000, launcher("insists-and-brings-home", "moves-again"), mover("raced", "moved")),
        VIEWED(5_000_000, launcher("raced", "pinned", "finds-a-view", "insists-and-brings-home"), viewer("takes-a-claim", "viewed")),
        UNTOUCHED(1_000_000, cpu("reads-zeros", "mapping-fails", "may-have-been-written"), launcher("raced", "moves-again")),
        UNDONE(900_000, cpu("java-claim-lost"), launcher("raced"), mover("raced", "copied-directly", "undone", "of-others")),
        DISCARDED(900_000, launcher("raced"), discarder("discarded")),
        DISCARDED_AND_TOUCHED(900_000, cpu("reads-zeros", "java-claim-lost"), launcher("raced"), discarder("waits-for-nobody", "discarded")),
        DISCARDED_OUTPUTS(900_000, launcher("takes-outputs-back", "has-been-discarded", "outputs-withdrawn"), discarder("waits-for-nobody", "waits-for-decision", "discarded")),
        DISCARDED_BESIDE_VIEWS(200_000, launcher("raced", "pinned"), viewer("takes-a-claim", "viewed"), discarder("refused", "discarded")),
        DISCARDED_UNDONE(150_000, launcher("raced"), mover("raced", "undone", "of-others"), discarder("discarded")),
        MOVED(900_000, cpu("refused"), launcher("finds-no-region"), regionMover("takes-its-frame-along", "moved", "put-back")),
        MOVED_IN_PLACE(900_000, launcher("finds-no-region"), regionMover("takes-its-frame-along", "moved", "put-back")),
        FREED(900_000, cpu("refused", "reads-zeros"), launcher("raced", "finds-no-region"), freer("allocated-again", "nobodys")),
        FREED_IN_PLACE(900_000, launcher("raced", "finds-no-region"), freer("allocated-again", "nobodys")),
        RELOCATED(200_000, launcher("takes-outputs-back", "moves-again"), relocator("claims-both", "relocated")),
        INSISTENT(800_000, cpu("waits-for-decision"), launcher("insists-on-a-peers-page", "moves-again"));

        /// Far fewer states than this would mean that something no longer happens.
        private final long fewestStates;
        private final Set<String> mustReach = new TreeSet<>();

        Scenario(long fewestStates, Steps... steps) {
            this.fewestStates = fewestStates;
            Stream.of(steps).forEach(some -> some.names.forEach(name -> mustReach.add(some.process + ":" + name)));
            mustReach.addAll(List.of("Safepoint:safepoint", ":init::ended"));
            if (steps[0].process.equals("Cpu")) {
                mustReach.addAll(List.of("Cpu:served", "Cpu:fetched", "Cpu:fetched-without-copy"));
            }
            if (steps[steps.length - 1].process.equals("Evictor")) {
                mustReach.addAll(List.of("Evictor:evicted", "Evictor:fetched"));
            }
        }
    }

    private record Steps(String process, List<String> names) {}

    private static Steps cpu(String... names) {
        return new Steps("Cpu", List.of(names));
    }

    private static Steps launcher(String... names) {
        return new Steps("Launcher", List.of(names));
    }

    private static Steps mover(String... names) {
        return new Steps("Mover", List.of(names));
    }

    private static Steps dropper(String... names) {
        return new Steps("Dropper", List.of(names));
    }

    private static Steps viewer(String... names) {
        return new Steps("Viewer", List.of(names));
    }

    private static Steps relocator(String... names) {
        return new Steps("Relocator", List.of(names));
    }

    private static Steps discarder(String... names) {
        return new Steps("Discarder", List.of(names));
    }

    private static Steps regionMover(String... names) {
        return new Steps("RegionMover", List.of(names));
    }

    private static Steps freer(String... names) {
        return new Steps("Freer", List.of(names));
    }

    private static Steps evictor(String... names) {
        return new Steps("Evictor", List.of(names));
    }

    /// What a mutant must be refuted by.
    private enum Violation {
        DEADLOCK,
        CYCLE,
        STALE_READ,
        LOST_WRITE,
        CONFLICTING_COPY,
        OVERLAP,
        TORN_READ
    }

    /// A mistake that somebody could make, and a scenario in which it shows.
    private enum Mutant {
        HANDLER_NEEDS_JAVA(Scenario.TWO_DEVICES, Violation.DEADLOCK),
        LIFT_OUTSIDE_CLAIM(Scenario.TWO_DEVICES, Violation.LOST_WRITE),
        MAP_OUTSIDE_CLAIM(Scenario.TWO_DEVICES, Violation.STALE_READ),
        WAIT_BEFORE_CLAIM(Scenario.TWO_DEVICES, Violation.CONFLICTING_COPY),
        CHECK_BEFORE_PUBLISH(Scenario.TWO_DEVICES, Violation.STALE_READ),
        WAIT_HOLDING_CLAIM(Scenario.TWO_DEVICES, Violation.DEADLOCK),
        GATE_IN_JAVA(Scenario.TWO_DEVICES, Violation.DEADLOCK),
        CALLBACK_IN_JAVA(Scenario.TWO_DEVICES, Violation.DEADLOCK),
        RESTORE_JAVA_CLAIM(Scenario.TWO_THREADS, Violation.DEADLOCK, "-DLOSSES=2"),
        PROTECT_GRANTS(Scenario.TWO_DEVICES, Violation.STALE_READ),
        TWO_INSIST(Scenario.INSISTENT, Violation.DEADLOCK),
        TAKE_RIGHTS_LATE(Scenario.TWO_DEVICES, Violation.LOST_WRITE),
        NO_DEVICE_LOCK(Scenario.ONE_DEVICE, Violation.CONFLICTING_COPY),
        INSIST_WITHOUT_LOCK(Scenario.ONE_DEVICE, Violation.CONFLICTING_COPY),
        FILL_UNDER_KERNELS(Scenario.TWO_DEVICES, Violation.CONFLICTING_COPY, "-DLAUNCHES=2"),
        BRING_UNDER_READERS(Scenario.TOGETHER, Violation.TORN_READ, "-DMOVERS=1"),
        COMMIT_OUTPUTS_EARLY(Scenario.OUTPUTS, Violation.LOST_WRITE),
        KEEP_OUTPUTS(Scenario.OUTPUTS, Violation.LOST_WRITE),
        OUTPUTS_DO_NOT_INSIST(Scenario.OUTPUTS, Violation.DEADLOCK),
        TAKE_OUTPUTS_UNCLAIMED(Scenario.RELOCATED, Violation.LOST_WRITE),
        TAKE_OUTPUTS_UNDER_KERNELS(Scenario.SAME_OUTPUTS, Violation.LOST_WRITE),
        COPY_ANYWAY(Scenario.ONE_DEVICE, Violation.CONFLICTING_COPY),
        INSIST_PAGE_BY_PAGE(Scenario.TOGETHER, Violation.TORN_READ),
        PEER_DOES_NOT_WAIT(Scenario.TWO_DEVICES, Violation.CONFLICTING_COPY),
        PEER_WAITS_HOLDING_CLAIM(Scenario.OUTPUTS, Violation.DEADLOCK),
        PEER_FILLS_UNDER_KERNELS(Scenario.LAUNCH_AGAIN, Violation.CONFLICTING_COPY),
        PEER_FILLS_UNDER_READERS(Scenario.BESIDE, Violation.TORN_READ),
        PEERS_TAKEN_FOR_SHARED(Scenario.TWO_DEVICES, Violation.STALE_READ),
        GIVE_PEERS_BACK_AS_SHARED(Scenario.TWO_DEVICES, Violation.LOST_WRITE),
        INSIST_FROM_PEER_AS_SHARED(Scenario.TWO_DEVICES, Violation.LOST_WRITE),
        WRITER_LEAVES_PEERS(Scenario.TWO_DEVICES, Violation.STALE_READ),
        LOOK_AGAIN(Scenario.LAUNCH_AGAIN, Violation.CYCLE),
        REUSE_UNDER_KERNELS(Scenario.DROPPED, Violation.CONFLICTING_COPY),
        WRITE_HERE_BESIDE_COPIES(Scenario.IN_PLACE, Violation.LOST_WRITE),
        TAKE_UNDER_KERNELS_HERE(Scenario.IN_PLACE, Violation.LOST_WRITE),
        INSIST_HERE_UNDER_KERNELS(Scenario.IN_PLACE, Violation.CONFLICTING_COPY),
        NO_TURNS(Scenario.TURNS, Violation.OVERLAP),
        TURNS_BEHIND_INSISTING(Scenario.TURNS, Violation.DEADLOCK),
        PIN_LATE(Scenario.VIEWED, Violation.STALE_READ),
        VIEW_BESIDE_WRITE_CLAIM(Scenario.VIEWED, Violation.OVERLAP),
        VIEW_BESIDE_KERNELS(Scenario.VIEWED, Violation.OVERLAP),
        GATE_SEES_NO_PINS(Scenario.VIEWED, Violation.OVERLAP),
        FAILED_MAPPING_LEAVES_EMPTY(Scenario.UNTOUCHED, Violation.LOST_WRITE),
        FAILED_MAPPING_KEEPS_COPIES(Scenario.UNTOUCHED, Violation.LOST_WRITE),
        UNDO_LOOKS_FIRST(Scenario.UNDONE, Violation.LOST_WRITE),
        UNDO_DOES_NOT_WAIT(Scenario.UNDONE, Violation.LOST_WRITE),
        UNDO_LEAVES_EMPTY(Scenario.UNDONE, Violation.LOST_WRITE),
        UNDO_WHAT_CROSSED(Scenario.UNDONE, Violation.LOST_WRITE),
        UNDO_BESIDE_INSISTING(Scenario.UNDONE, Violation.DEADLOCK, "-DDEVICE_OF_MOVER=1"),
        RELOCATE_UNDER_KERNELS(Scenario.RELOCATED, Violation.CONFLICTING_COPY),
        TAKE_COPIES_OF_OTHERS_BACK(Scenario.RELOCATED, Violation.LOST_WRITE),
        DISCARD_BESIDE_KERNELS_HERE(Scenario.DISCARDED, Violation.LOST_WRITE),
        DISCARD_WAITS_HOLDING_CLAIM(Scenario.DISCARDED_OUTPUTS, Violation.DEADLOCK),
        DISCARD_WITHOUT_CLAIM(Scenario.DISCARDED_AND_TOUCHED, Violation.LOST_WRITE),
        PUNCH_BEFORE_FORBIDDING(Scenario.DISCARDED_AND_TOUCHED, Violation.LOST_WRITE),
        DISCARD_KEEPS_MAPPING(Scenario.DISCARDED_AND_TOUCHED, Violation.LOST_WRITE),
        DISCARD_KEEPS_COPIES(Scenario.DISCARDED_AND_TOUCHED, Violation.LOST_WRITE),
        DISCARD_UNDER_VIEW(Scenario.DISCARDED_BESIDE_VIEWS, Violation.LOST_WRITE),
        MOVE_WITHOUT_DEVICE_LOCKS(Scenario.MOVED, Violation.CONFLICTING_COPY),
        MOVE_TAKES_CLAIMED(Scenario.MOVED, Violation.STALE_READ),
        MOVE_KEEPS_COPIES(Scenario.MOVED, Violation.LOST_WRITE),
        MOVE_LEAVES_TARGET_OPEN(Scenario.MOVED, Violation.LOST_WRITE),
        MOVE_LEAVES_TARGET_MAPPED(Scenario.MOVED, Violation.LOST_WRITE),
        MOVE_COPIES_BEFORE_FORBIDDING(Scenario.MOVED, Violation.LOST_WRITE),
        MOVE_SETTLES_BEFORE_FORBIDDING(Scenario.MOVED, Violation.LOST_WRITE),
        MOVE_UNDER_KERNELS(Scenario.MOVED, Violation.LOST_WRITE),
        MOVE_UNDER_KERNELS_HERE(Scenario.MOVED_IN_PLACE, Violation.LOST_WRITE),
        MOVE_PUTS_BACK_AS_HOST(Scenario.MOVED, Violation.LOST_WRITE),
        FREE_TAKES_CLAIMED(Scenario.FREED, Violation.LOST_WRITE),
        FREE_FORBIDS_FIRST(Scenario.FREED, Violation.LOST_WRITE),
        FREE_KEEPS_MAPPING(Scenario.FREED, Violation.LOST_WRITE),
        FREE_UNDER_KERNELS(Scenario.FREED, Violation.LOST_WRITE),
        FREE_WITHOUT_DEVICE_LOCKS(Scenario.FREED, Violation.CONFLICTING_COPY),
        FREE_UNDER_KERNELS_HERE(Scenario.FREED_IN_PLACE, Violation.LOST_WRITE),
        RELEASE_UNDER_KERNELS(Scenario.FREED_IN_PLACE, Violation.LOST_WRITE),
        KEEP_THE_REST(Scenario.RANGES, Violation.DEADLOCK);

        private final Scenario scenario;
        private final Violation violation;
        private final List<String> defines;

        Mutant(Scenario scenario, Violation violation, String... defines) {
            this.scenario = scenario;
            this.violation = violation;
            this.defines = List.of(defines);
        }

        private List<String> allDefines() {
            List<String> all = new ArrayList<>(List.of("-D" + scenario, "-DMUTANT_" + this));
            all.addAll(defines);
            if (violation != Violation.DEADLOCK && violation != Violation.CYCLE) {
                all.add("-DONLY=" + violation);
            }
            return all;
        }

        /// For one that deadlocks assertions do not count (`-A`), for all others deadlocks do not (`-E`), unless it is cycles that are looked for (`-l`).
        private String option() {
            return switch (violation) {
                case DEADLOCK -> "-A";
                case CYCLE -> "-l";
                default -> "-E";
            };
        }

        private Kind kind() {
            return violation == Violation.CYCLE ? Kind.CYCLES : Kind.SHORT;
        }
    }

    @BeforeAll
    static void needsSpin() {
        assumeTrue(isOnPath("spin"), "spin is not installed (Debian package: spin)");
        assumeTrue(isOnPath("cc"), "there is no C compiler (Debian package: gcc)");
    }

    /// Searches use one processor each, so they all are started at once and wait for their turn here.
    @BeforeAll
    static void startSearches() {
        for (Scenario scenario : Scenario.values()) {
            Kind kind = scenario.fewestStates < 1_000_000 ? Kind.SHORT : Kind.LONG;
            REPORTS.put(scenario, SEARCHES.submit(() -> new Search(scenario.name(), List.of("-D" + scenario), kind).run()));
        }
        for (Mutant mutant : Mutant.values()) {
            REPORTS.put(mutant, SEARCHES.submit(() -> new Search("mutant-" + mutant, mutant.allDefines(), mutant.kind()).run(mutant.option())));
        }
    }

    @AfterAll
    static void stopSearches() {
        SEARCHES.shutdownNow();
    }

    private static String sources() throws IOException {
        StringBuilder all = new StringBuilder();
        for (String source : SOURCES) {
            all.append(Files.readString(FOLDER.resolve(source)));
        }
        return all.toString();
    }

    private static boolean isOnPath(String command) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .anyMatch(folder -> !folder.isEmpty() && Files.isExecutable(Path.of(folder, command)));
    }

    @ParameterizedTest
    @EnumSource
    void holds(Scenario scenario) throws Exception {
        String report = REPORTS.get(scenario).get();
        assertThat(report).contains("errors: 0").doesNotContain("pan:1:");
        assertComplete(report);
        assertThat(report).containsPattern("invalid end states\\s+\\+").containsPattern("assertion violations\\s+\\+");
        assertThat(states(report)).isGreaterThan(scenario.fewestStates);
        Set<String> missed = missedSteps(report);
        missed.retainAll(scenario.mustReach);
        assertThat(missed).as("steps that nobody went through").isEmpty();
        for (String step : scenario.mustReach) {
            assertThat(sources()).contains("reach: " + step.substring(step.lastIndexOf(':') + 1) + " */");
        }
    }

    /// No step is marked as progress, so any cycle would be found; without cycles and deadlocks, every fault is served and every launch gets through.
    @ParameterizedTest
    @EnumSource(names = {"LONG_RUN", "LAUNCH_AGAIN", "SAME_OUTPUTS", "INSISTENT"})
    void comesToAnEnd(Scenario scenario) throws Exception {
        String report = new Search("cycles-" + scenario, List.of("-D" + scenario), Kind.CYCLES).run("-l");
        assertThat(report).contains("errors: 0").doesNotContain("pan:1:").containsPattern("non-progress cycles\\s+\\+");
        assertComplete(report);
        assertThat(states(report)).isGreaterThan(scenario.fewestStates);
    }

    @ParameterizedTest
    @EnumSource
    void refutes(Mutant mutant) throws Exception {
        assertThat(sources()).contains("MUTANT_" + mutant);
        String report = REPORTS.get(mutant).get();
        String violation = switch (mutant.violation) {
            case DEADLOCK -> "pan:1: invalid end state";
            case CYCLE -> "pan:1: non-progress cycle";
            default -> "pan:1: assertion violated  !(" + mutant.violation.name().toLowerCase(Locale.ROOT) + ")";
        };
        assertThat(report).contains(violation).contains("errors: 1");
    }

    /// Without anybody to race with, races must be reported as missed: otherwise [#holds] would look at nothing.
    @Test
    void noticesWhatCannotHappen() throws Exception {
        String report = new Search("alone", List.of("-DLAUNCHERS=1", "-DCPUS=0"), Kind.SHORT).run();
        assertThat(report).contains("errors: 0");
        assertThat(missedSteps(report))
                .contains("Launcher:raced", "Launcher:moved-from-peer", "Launcher:insists-on-a-peers-page", "Cpu:served", "Evictor:evicted")
                .doesNotContain("Launcher:has-it-already", ":init::ended", "Safepoint:safepoint");
        String insistent = new Search("alone-insistent", List.of("-DLAUNCHERS=1", "-DCPUS=0", "-DLOSSES=0"), Kind.SHORT).run();
        assertThat(missedSteps(insistent)).contains("Launcher:has-it-already", "Launcher:moves-again", "Launcher:withdrawn");
    }

    /// For what is left out the preprocessor writes blank lines only up to eight; Spin counts on within an `inline`, so marks behind a longer block would be nobody's, and never missed.
    @Test
    void whatMayBeLeftOutOfAnInlineIsShort() throws IOException {
        for (String source : SOURCES) {
            assertShortBlocks(FOLDER.resolve(source));
        }
    }

    private static void assertShortBlocks(Path source) throws IOException {
        List<String> model = Files.readAllLines(source);
        Deque<Integer> blocks = new ArrayDeque<>();
        Deque<String> conditions = new ArrayDeque<>();
        List<Integer> tooLong = new ArrayList<>();
        int inlineFrom = Integer.MAX_VALUE;
        for (int i = 0; i < model.size(); i++) {
            String line = model.get(i);
            inlineFrom = line.startsWith("inline ") ? i : line.equals("}") ? Integer.MAX_VALUE : inlineFrom;
            if (line.startsWith("#if")) {
                conditions.push(line);
                blocks.push(i);
            } else if (line.startsWith("#el") || line.startsWith("#endif")) {
                int from = blocks.pop();
                if (from > inlineFrom && i - from > 7 && !conditions.element().contains("MUTANT")) { // of those no mark is asked for
                    tooLong.add(from + 1);
                }
                if (line.startsWith("#el")) {
                    blocks.push(i);
                } else {
                    conditions.pop();
                }
            }
        }
        assertThat(tooLong).as("lines of %s", source).isEmpty();
    }

    /// A search that is too shallow must not pass for a complete one.
    @Test
    void noticesASearchThatIsNotComplete() throws Exception {
        String report = new Search("shallow", List.of("-DLONG_RUN"), Kind.SHORT).run("-m50");
        assertThat(report).contains("max search depth too small");
    }

    private static void assertComplete(String report) {
        assertThat(report)
                .contains("Full statespace search for:")
                .doesNotContain("max search depth too small", "Search not completed", "out of memory", "aborted", "hash-compact", "Bit statespace");
    }

    private static long states(String report) {
        Matcher line = Pattern.compile("(?m)^\\s*([0-9.e+]+) states, stored").matcher(report);
        assertThat(line.find()).as(report).isTrue();
        return (long) Double.parseDouble(line.group(1));
    }

    /// The marked steps that pan lists as unreached, as `PROCESS:NAME`.
    private static Set<String> missedSteps(String report) throws IOException {
        Map<String, List<String>> sources = new HashMap<>();
        for (String source : SOURCES) {
            sources.put(source, Files.readAllLines(FOLDER.resolve(source)));
        }
        Set<String> missed = new TreeSet<>();
        String process = "";
        Pattern header = Pattern.compile("unreached in (?:proctype |init)(\\w*)");
        Pattern place = Pattern.compile("\\t(?:[^\\t]*/)?([a-z-]+\\.pml):(\\d+), state .*");
        for (String line : report.lines().toList()) {
            Matcher head = header.matcher(line);
            Matcher at = place.matcher(line);
            if (head.lookingAt()) {
                process = head.group(1).isEmpty() ? ":init:" : head.group(1);
            } else if (at.matches()) {
                Matcher mark = MARK.matcher(sources.get(at.group(1)).get(Integer.parseInt(at.group(2)) - 1));
                if (mark.find()) {
                    missed.add(process + ":" + mark.group(1));
                }
            }
        }
        return missed;
    }

    /// How to compile a verifier. Of a short search, compiling would be the longer part; of a long one, -O2 makes that take twice as long as -O1, and the search no shorter.
    private enum Kind {
        LONG("-O1", "-DSAFETY"),
        SHORT("-O0", "-DSAFETY"),
        CYCLES("-O0", "-DNP");

        private final String optimise;
        private final String search;

        Kind(String optimise, String search) {
            this.optimise = optimise;
            this.search = search;
        }
    }

    /// A verifier made from the model, in a folder of its own.
    private static final class Search {

        private final Path folder;

        Search(String name, List<String> defines, Kind kind) throws IOException, InterruptedException {
            folder = Files.createDirectories(SCRATCH.resolve(name));
            try (Stream<Path> old = Files.list(folder)) {
                for (Path file : old.toList()) {
                    Files.delete(file);
                }
            }
            for (String source : SOURCES) {
                Files.copy(FOLDER.resolve(source), folder.resolve(source));
            }
            List<String> spin = new ArrayList<>(List.of("spin", "-a"));
            spin.addAll(defines);
            spin.add(MODEL.getFileName().toString());
            require(spin);
            require(List.of("cc", kind.optimise, "-w", "-DCOLLAPSE", "-DMEMLIM=4000", kind.search, "-o", "pan", "pan.c"));
        }

        private void require(List<String> command) throws IOException, InterruptedException {
            Path output = folder.resolve(command.getFirst() + ".txt");
            assertThat(execute(command, output)).as("%s%n%s", command, Files.readString(output)).isZero();
        }

        /// pan's report. Its exit status says nothing that the report does not.
        String run(String... options) throws IOException, InterruptedException {
            List<String> command = new ArrayList<>(List.of("./pan", "-m100000"));
            command.addAll(List.of(options));
            Path output = folder.resolve("report.txt");
            execute(command, output);
            return Files.readString(output);
        }

        private int execute(List<String> command, Path output) throws IOException, InterruptedException {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile());
            builder.environment().remove("LD_PRELOAD"); // the JVM's, of no use to others
            builder.environment().put("LC_ALL", "C");
            Process process = builder.start();
            try {
                if (!process.waitFor(18, TimeUnit.MINUTES)) {
                    throw new AssertionError("still running after 18 minutes: " + command);
                }
                return process.exitValue();
            } finally {
                process.destroyForcibly();
            }
        }
    }
}
