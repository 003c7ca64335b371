package io.github.hmm4j.transparent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Threads that fault, in JVMs that stop threads: with every collector, interpreted and compiled, watched, and forked.
///
/// A Java thread in a fault cannot reach a safepoint, so a handler that needed Java would hang each of these at once. The program is [FaultWorker].
/// `-Dhmm4j.stress.seconds=60` makes each do twenty times the work (3 is the default).
@Timeout(3600)
class FaultDuringGcTest {

    private static final Duration LIMIT = Duration.ofSeconds(100);
    private static final int SCALE = (int) Math.max(1, Long.getLong("hmm4j.stress.seconds", 3) / 3);

    /// How one child runs.
    ///
    /// @param disturbance what else goes on there, and how often at least
    private record Child(String name, String mode, List<String> options, int threads, int pages, int rounds, int collections, String disturbance, int disturbances) {
        @Override
        public String toString() {
            return name + " on " + mode;
        }
    }

    @TempDir
    private Path scratch;

    static Stream<Child> children() {
        return Stream.of(
                child("G1", "UFFD", 12, "NONE", 0, "-XX:+UseG1GC"),
                child("G1", "SIGSEGV", 12, "NONE", 0, "-XX:+UseG1GC"),
                child("explicit collections", "UFFD", 3, "COLLECT", 20, "-XX:+UseSerialGC"),
                child("spawned", "UFFD", 6, "SPAWN", 10));
    }

    static Stream<Child> moreChildren() {
        return Stream.of(
                child("Z", "UFFD", 12, "NONE", 0, "-XX:+UseZGC"),
                child("Parallel", "UFFD", 12, "NONE", 0, "-XX:+UseParallelGC"),
                child("Serial", "UFFD", 12, "NONE", 0, "-XX:+UseSerialGC"),
                child("G1", "UFFD_IN_THREAD", 12, "NONE", 0, "-XX:+UseG1GC"),
                child("spawned", "UFFD_IN_THREAD", 6, "SPAWN", 10),
                child("interpreted", "UFFD", 10, "NONE", 0, "-Xint"),
                child("interpreted", "SIGSEGV", 3, "NONE", 0, "-Xint"),
                // All of the JDK compiled at its first call takes half a minute to start, so that is for a longer run.
                SCALE > 1
                        ? child("compiled", "UFFD", 20, "NONE", 0, "-Xcomp")
                        : child("compiled", "UFFD", 10, "NONE", 0, "-Xcomp", "-XX:CompileCommand=quiet", "-XX:CompileCommand=compileonly,io.github.hmm4j.*::*",
                                "-XX:CompileCommand=compileonly,java.lang.invoke.*::*", "-XX:CompileCommand=compileonly,jdk.internal.foreign.*::*"),
                child("spawned", "SIGSEGV", 6, "SPAWN", 10),
                child("forked", "UFFD", 6, "SPAWN", 6, "-Djdk.lang.Process.launchMechanism=FORK"),
                child("forked", "SIGSEGV", 6, "SPAWN", 6, "-Djdk.lang.Process.launchMechanism=FORK"));
    }

    private static Child child(String name, String mode, int rounds, String disturbance, int disturbances, String... options) {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("-Xmx64m");
        return new Child(name, mode, all, 2, name.equals("interpreted") ? 16 : 64, rounds * SCALE, 5, disturbance, disturbances * SCALE);
    }

    @ParameterizedTest
    @MethodSource("children")
    void fault_during_gc(Child child) {
        run(child);
    }

    @Tag("exhaustive")
    @ParameterizedTest
    @MethodSource("moreChildren")
    void fault_during_gc_of_other_kinds(Child child) {
        run(child);
    }

    @Test
    void stacksAreWalkedWhileThreadsFault() throws IOException {
        Path recording = scratch.resolve("faults.jfr");
        Map<String, Long> numbers = run(child("profiled", "UFFD", 10, "STACKS", 100, "-Dhmm.test.recording=" + recording));
        assertThat(numbers.get("frames")).isPositive();
        assertThat(Files.size(recording)).isPositive();
    }

    /// The loop over the first ints of pages does not look for safepoints at all, and faults in every round.
    @Tag("elsewhere")
    @Test
    void aCountedLoopThatFaultsInEveryRoundEnds() {
        run(new Child("counted loop", "UFFD", List.of("-XX:+UseSerialGC", "-XX:-UseCountedLoopSafepoints", "-XX:LoopStripMiningIter=0", "-Xmx64m"), 1, 512, 4 * SCALE, 5, "COLLECT", 10 * SCALE));
    }

    private static Map<String, Long> run(Child child) {
        ChildJvm.Result result = ChildJvm.run(LIMIT.multipliedBy(SCALE), child.options(), FaultWorker.class, child.mode(), Integer.toString(child.threads()),
                Integer.toString(child.pages()), Integer.toString(child.rounds()), Integer.toString(child.collections()), child.disturbance(), Integer.toString(child.disturbances()));
        assertThat(result.status()).as("%s: %s", child, result.output()).isZero();
        Map<String, Long> numbers = result.numbers();
        System.out.println(child + ": " + numbers);
        long pagesBack = (long) child.threads() * child.pages() * child.rounds();
        // Each round brings each page home at least once, by a fault unless somebody else has just moved it.
        assertThat(numbers.get("faults")).as("faults, %s", numbers).isGreaterThan(pagesBack / 2);
        assertThat(numbers.get("fetched")).as("fetched, %s", numbers).isGreaterThan(pagesBack / 4);
        assertThat(numbers.get("collections")).isGreaterThanOrEqualTo(child.collections());
        assertThat(numbers.get("disturbances")).isGreaterThanOrEqualTo(child.disturbances());
        return numbers;
    }
}
