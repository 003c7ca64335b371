package io.github.hmm4j.pager;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The tests of the native part, which are C themselves (`src/test/c`): compiled with it three times, and run on every rung that this machine accepts.
class NativePartTest {

    private static final List<String> LIBRARIES = List.of("-ldl");
    /// Calls that tests refuse (`system.c`).
    private static final String REFUSABLE = "-Wl,--wrap=ioctl,--wrap=read,--wrap=mprotect,--wrap=madvise,--wrap=fallocate,--wrap=mmap";

    /// What takes minutes, begun together by whoever asks first: most of that time is spent waiting.
    private static final class LongRuns {

        private static final ExecutorService THREADS = Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory());
        private static final Map<CBuild, Future<?>> RUNS = new EnumMap<>(CBuild.class);

        static {
            for (CBuild build : List.of(CBuild.PLAIN, CBuild.ADDRESSES, CBuild.THREADS)) {
                RUNS.put(build, THREADS.submit(() -> {
                    passes(build, build.isSanitized() ? List.of("quick") : List.of());
                    return build;
                }));
            }
        }

        static void await(CBuild build) throws Exception {
            try {
                RUNS.get(build).get();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof Exception skippedOrBroken) {
                    throw skippedOrBroken;
                }
                throw (Error) e.getCause();
            }
        }
    }

    /// By two of the four ways home.
    @Test
    @Timeout(value = 20, unit = TimeUnit.MINUTES) // here and below for what hangs; each of their tests has two minutes
    void passesItsTests() throws IOException, InterruptedException {
        passes(CBuild.PLAIN, List.of("quick", "/reachable/", "/copied/"));
    }

    @Tag("exhaustive")
    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void passesThemOnEveryRung() throws Exception {
        LongRuns.await(CBuild.PLAIN);
    }

    @Tag("exhaustive")
    @ParameterizedTest
    @EnumSource(names = {"ADDRESSES", "THREADS"})
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void passesThemUnderSanitizers(CBuild build) throws Exception {
        LongRuns.await(build);
    }

    /// Where the two programs are installed (Debian: gcc-aarch64-linux-gnu, qemu-user-static). QEMU has no userfaultfd, takes no memory ahead of a touch, and hands a child everything.
    @Tag("exhaustive")
    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void passesThemOnAarch64() throws IOException, InterruptedException {
        passes(CBuild.AARCH64, List.of("quick", "sigsegv", "-without_memory", "-a_forked_child"));
    }

    /// @param which `quick`: on two rungs, each with fewer rounds of what is random
    private static void passes(CBuild build, List<String> which) throws IOException, InterruptedException {
        Path folder = build.folder("native-tests");
        assumeTrue(build.works(folder, LIBRARIES), "there is no cc, or none for " + build);
        CommandLine.Outcome compiled = compile(build, folder, "native-tests", CBuild.sources("main/c", "test/c"), List.of(REFUSABLE), LIBRARIES);
        assertEquals(0, compiled.status(), compiled::output);

        List<String> command = new ArrayList<>(build.launcher());
        command.add(folder.resolve("native-tests").toString());
        command.addAll(which);
        CommandLine.Outcome outcome = CommandLine.run(folder, command);
        assumeTrue(outcome.status() != 4, () -> "no rung is accepted here: " + outcome.output());
        assertEquals(0, outcome.status(), outcome::output);
    }

    /// Several copies of the library in one process, as several class loaders bring them, beside signal handlers of
    /// others.
    @Tag("elsewhere")
    @Test
    @Timeout(value = 120, unit = TimeUnit.SECONDS)
    void copiesOfTheLibraryStandBesideEachOther() throws IOException, InterruptedException {
        Path folder = Files.createDirectories(Path.of("target", "native-tests", "copies").toAbsolutePath());
        String script = CBuild.SOURCES.resolve("main/c/build.sh").toString();
        CommandLine.Outcome built = CommandLine.run(folder, List.of("sh", script, folder.toString()));
        assertEquals(0, built.status(), built::output);
        String machine = System.getProperty("os.arch").replace("amd64", "x86_64");
        Path library = folder.resolve("linux-" + machine).resolve("libhmm.so");
        assumeTrue(Files.exists(library), built::output);

        List<String> command = new ArrayList<>(List.of(folder.resolve("copies").toString()));
        for (String name : List.of("a.so", "b.so")) {
            command.add(Files.copy(library, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING).toString());
        }
        String source = CBuild.SOURCES.resolve("test/c/copies/copies.c").toString();
        CommandLine.Outcome compiled = compile(CBuild.PLAIN, folder, "copies", List.of(source), List.of(), LIBRARIES);
        assertEquals(0, compiled.status(), compiled::output);
        CommandLine.Outcome outcome = CommandLine.run(folder, command);
        assertEquals(0, outcome.status(), outcome::output);
    }

    /// @param more options
    static CommandLine.Outcome compile(CBuild build, Path folder, String program, List<String> sources, List<String> more, List<String> libraries) throws InterruptedException {
        // Blocks as small as a page, or as a few: what launches know of whole blocks (block.h) is at work everywhere.
        String blocks = "-DBLOCK_SHIFT=" + (build == CBuild.PLAIN ? 14 : 12);
        List<String> options = new ArrayList<>(List.of("-DSTUCK_NANOS=300000000ULL", "-DCOPY_SHARE=1000", blocks,
                "-I" + CBuild.SOURCES.resolve("main/c"), "-I" + CBuild.SOURCES.resolve("test/c"), "-o", program));
        options.addAll(more);
        return build.compile(folder, options, sources, libraries);
    }
}
