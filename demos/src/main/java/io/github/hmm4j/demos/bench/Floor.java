package io.github.hmm4j.demos.bench;

import io.github.hmm4j.pager.HostAccess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// The bare floor of page faults: a C program that answers them and does nothing else (`floor.c` of the test tree), in a process of its own.
///
/// It measures when it is asked, so that its faults and ours can take turns; in between it sleeps. Owns the process. Used by one thread.
final class Floor implements AutoCloseable {
    /// The program, where it was built beforehand: in a bundle.
    static final String PROGRAM_PROPERTY = "hmm.floor.program";
    /// Else where `floor.c` is, what compiles it, and where the result goes; `demos/hmm` sets all three.
    static final String SOURCE_PROPERTY = "hmm.floor";
    static final String COMPILER_PROPERTY = "hmm.cc";
    static final String TARGET_PROPERTY = "hmm.target";

    private final Process process;
    private final Writer requests;
    private final BufferedReader answers;

    /// Kinds of faults, by the words of its protocol; those of a device with userfaultfd only.
    enum Fault {
        READ, UPGRADE, DEVICE
    }

    /// The floor, or why there is none: a row without its floor says so.
    ///
    /// @param words the baseline of a row
    record Beside(Optional<Floor> floor, String words) implements AutoCloseable {
        @Override
        public void close() {
            floor.ifPresent(Floor::close);
        }
    }

    private Floor(Process process) {
        this.process = process;
        requests = process.outputWriter(StandardCharsets.US_ASCII);
        answers = process.inputReader(StandardCharsets.US_ASCII);
    }

    /// Starts it, after building it if need be, from the system properties, if that is possible here.
    static Beside beside(HostAccess.Mode rung, long lengthBytes) throws InterruptedException {
        try {
            return new Beside(Optional.of(start(program(), rung, lengthBytes)), "the same fault answered by a bare C program");
        } catch (IOException e) {
            return new Beside(Optional.empty(), "no floor: " + e.getMessage());
        }
    }

    private static Path program() throws IOException, InterruptedException {
        String built = System.getProperty(PROGRAM_PROPERTY, "");
        return built.isBlank()
            ? build(Path.of(property(SOURCE_PROPERTY)), property(COMPILER_PROPERTY), Path.of(property(TARGET_PROPERTY)))
            : Path.of(built);
    }

    private static String property(String name) throws IOException {
        return Optional.ofNullable(System.getProperty(name)).filter(value -> !value.isBlank())
            .orElseThrow(() -> new IOException("system property " + name + " is not set (demos/hmm sets it)"));
    }

    /// Compiles `source`; the program is replaced as a whole, so that two benchmarks can start at the same time.
    ///
    /// @return the program, in `target`
    static Path build(Path source, String compiler, Path target) throws IOException, InterruptedException {
        if (!Files.isReadable(source)) {
            throw new IOException("source=" + source + " is missing");
        }
        Files.createDirectories(target);
        Path made = Files.createTempFile(target, "floor", ".new");
        try {
            Process process = bare(compiler, "-std=c17", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pthread", source.toString(),
                "-o", made.toString()).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said = process.inputReader().readAllAsString();
            if (process.waitFor() != 0) {
                throw new IOException("compiler=" + compiler + " refused source=" + source + ": " + said.strip());
            }
            return Files.move(made, target.resolve("floor"), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(made);
        }
    }

    /// Starts a program that [#build] has made.
    ///
    /// @param rung        how it learns of faults, as the heap beside it does, but always with a thread that answers
    /// @param lengthBytes of its memory, a power of two
    static Floor start(Path program, HostAccess.Mode rung, long lengthBytes) throws IOException {
        // What it saves to serve a touch in its own thread is seen beside a floor that does not.
        String name = (rung == HostAccess.Mode.UFFD_IN_THREAD ? HostAccess.Mode.UFFD : rung).name().toLowerCase(Locale.ROOT);
        Floor floor = new Floor(bare(program.toString(), "--rung", name, "--bytes", Long.toString(lengthBytes), "--serve").start());
        try {
            floor.expect("ready " + name);
            return floor;
        } catch (IOException e) {
            floor.close();
            throw e;
        }
    }

    /// Without the library that our own JVM preloads to chain signals.
    private static ProcessBuilder bare(String... command) {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().remove("LD_PRELOAD");
        return builder;
    }

    /// Measures faults, each page in turn, in a shuffled order.
    ///
    /// @return nanoseconds each, in the order in which they happened
    /// @throws IOException if the program has failed; it is of no use any more
    long[] nanos(Fault fault, long pageBytes, int count) throws IOException {
        requests.write(String.format(Locale.ROOT, "%s %d %d%n",
            fault.name().toLowerCase(Locale.ROOT), pageBytes, count));
        requests.flush();
        String line = line();
        try {
            long[] nanos = Arrays.stream(line.split(" ")).mapToLong(Long::parseLong).toArray();
            if (nanos.length == count) {
                return nanos;
            }
        } catch (NumberFormatException e) {
            throw new IOException("the floor answered with something else than numbers: " + line, e);
        }
        throw new IOException(String.format(Locale.ROOT, "the floor was asked for faults=%d and answered: %s",
            count, line));
    }

    private void expect(String greeting) throws IOException {
        String line = line();
        if (!line.equals(greeting)) {
            throw new IOException("expected '" + greeting + "' of the floor, found: " + line);
        }
    }

    private String line() throws IOException {
        String line = answers.readLine();
        if (line == null) { // it has ended; what it says then is one line
            throw new IOException("the floor has ended: " + process.errorReader().readAllAsString().strip());
        }
        return line;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
