package io.github.hmm4j.pager;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// How tests that are C themselves are compiled, together with what they test, and run.
enum CBuild {
    PLAIN("-O2"),
    ADDRESSES("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"),
    THREADS("-O1", "-fsanitize=thread"),
    /// For another machine, which QEMU plays.
    AARCH64("-O2", "-Wl,--wrap=dlsym"); // reported.c

    static final Path SOURCES = Path.of("src").toAbsolutePath();

    private final List<String> flags;

    CBuild(String... flags) {
        this.flags = List.of(flags);
    }

    boolean isSanitized() {
        return this == ADDRESSES || this == THREADS;
    }

    /// How a program is begun that was built so.
    List<String> launcher() {
        return this == AARCH64 ? List.of("qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu") : List.of();
    }

    /// A folder of this build's own.
    Path folder(String tests) throws IOException {
        return Files.createDirectories(Path.of("target", tests, name()).toAbsolutePath());
    }

    /// Whether there is a compiler that can do this, and what it makes runs here.
    boolean works(Path folder, List<String> libraries) throws IOException, InterruptedException {
        Path trivial = Files.writeString(folder.resolve("trivial.c"), "int main(void) { return 0; }\n");
        try {
            return compile(folder, List.of("-o", "trivial"), List.of(trivial.toString()), libraries).status() == 0
                    && CommandLine.run(folder, Stream.concat(launcher().stream(), Stream.of(folder.resolve("trivial").toString())).toList()).status() == 0;
        } catch (UncheckedIOException _) {
            return false;
        }
    }

    CommandLine.Outcome compile(Path folder, List<String> options, List<String> sources, List<String> libraries) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of(this == AARCH64 ? "aarch64-linux-gnu-gcc" : "cc", "-std=c17", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-g", "-fvisibility=hidden"));
        command.addAll(flags);
        command.addAll(options);
        command.addAll(sources);
        command.add("-pthread");
        command.addAll(libraries);
        return CommandLine.run(folder, command);
    }

    /// The C files of these folders of the module's sources, without their subfolders.
    static List<String> sources(String... folders) throws IOException {
        List<String> sources = new ArrayList<>();
        for (String folder : folders) {
            try (Stream<Path> files = Files.list(SOURCES.resolve(folder))) {
                files.map(Path::toString).filter(name -> name.endsWith(".c")).sorted().forEach(sources::add);
            }
        }
        return sources;
    }
}
