package io.github.hmm4j.demos;

import io.github.hmm4j.demos.cli.Catalog;
import io.github.hmm4j.demos.cli.HmmCommandLine;
import io.github.hmm4j.demos.devices.DeviceList;
import io.github.hmm4j.demos.harness.Demo;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Runs one demo as `hmm demo NAME` would.
public final class DemoRunner {
    /// The variants that every demo must be right on, as options of the command line.
    public static final String LWJGL = "--binding lwjgl";
    public static final String JOCL = "--binding jocl";

    private DemoRunner() {}

    /// What came of it.
    ///
    /// @param json the file that `--json` names, empty if it was not written
    public record Outcome(int exitCode, String out, String err, String json) {}

    /// @param variant options, with blanks between them
    /// @param options more options, one argument each
    public static Outcome run(Demo demo, String variant, Path folder, String... options) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        Path json = folder.resolve("result.json");
        Catalog catalog = new Catalog(List.of(demo), List.of(), DeviceList::of);
        String[] line = Stream.of(Stream.of("demo", demo.name(), "--json", json.toString()),
            Stream.of(variant.split(" ")), Stream.of(options)).flatMap(words -> words).toArray(String[]::new);
        int exitCode = new HmmCommandLine(catalog, new PrintWriter(out), new PrintWriter(err)).run(line);
        try {
            return new Outcome(exitCode, out.toString(), err.toString(),
                Files.exists(json) ? Files.readString(json) : "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
