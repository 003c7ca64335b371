package io.github.hmm4j.kernels;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/// The kernel files of this library, as they lie in the build's output folder.
final class KernelFiles {

    private KernelFiles() {}

    /// For `@MethodSource`: a file added tomorrow is tested by itself.
    static List<String> names() {
        try (Stream<Path> files = Files.list(Path.of(folder()))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static URI folder() {
        try {
            return Objects.requireNonNull(Source.class.getClassLoader().getResource(Source.KERNELS)).toURI();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
