package io.github.hmm4j.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The text of one OpenCL C program, with the headers it includes already in place.
///
/// `#include "hmm.clh"` and its like are replaced by the header, once per program; `#line` directives around it make
/// the compiler name the real file and line in its messages. A header is looked for beside the program's own file, then
/// among the headers of this library. `#include <...>` is left to the compiler, and conditions are not evaluated: a
/// header goes where it is first included, even inside `#if 0`.
///
/// Line ends become `\n`. Immutable, so any thread may share one.
public final class Source {

    static final String KERNELS = "opencl/kernels/";
    static final String LIBRARY = "opencl/lib/";

    private final String name;
    private final String text;

    private Source(String name, String text) {
        this.name = name;
        this.text = text;
    }

    /// A kernel file from the class path: one of this library (`"matmul.cl"`), else the resource of that name.
    ///
    /// @throws IllegalArgumentException if there is none, a header is missing, or there is a NUL in the text, or a NUL
    /// or a line end in the name
    public static Source resource(String name) {
        Objects.requireNonNull(name, "name");
        for (String path : List.of(KERNELS + name, name)) {
            String code = readResource(path);
            if (code != null) {
                String folder = path.substring(0, path.lastIndexOf('/') + 1);
                return new Source(name, Includes.join(name, code, header -> anyResource(folder + header, header)));
            }
        }
        throw new IllegalArgumentException(
                "no such OpenCL source on the class path: name=" + name + ", tried " + KERNELS + name + " and " + name);
    }

    /// A kernel file of the file system, in UTF-8; compiler messages name it by `file` as given.
    ///
    /// @throws IllegalArgumentException if there is none, a header is missing, or there is a NUL in the text, or a NUL
    /// or a line end in the name
    /// @throws UncheckedIOException if it exists but cannot be read
    public static Source file(Path file) {
        String code = readFile(file);
        if (code == null) {
            throw new IllegalArgumentException("no such OpenCL source file: file=" + file);
        }
        return new Source(file.toString(), Includes.join(file.toString(), code, header -> {
            String beside = readFile(file.resolveSibling(header));
            return beside == null ? libraryHeader(header) : beside;
        }));
    }

    /// Code from a string; compiler messages call it `name`.
    ///
    /// @throws IllegalArgumentException if a header is missing, there is a NUL in the text, or a NUL or a line end in
    /// the name
    public static Source text(String name, String code) {
        Objects.requireNonNull(name, "name");
        return new Source(name, Includes.join(name, code, Source::libraryHeader));
    }

    /// What compiler messages call this program: the resource, the file or the given name.
    public String name() {
        return name;
    }

    /// The whole program, ready for `clCreateProgramWithSource`.
    public String text() {
        return text;
    }

    @Override
    public String toString() {
        return "Source[" + name + "]";
    }

    private static @Nullable String anyResource(String beside, String header) {
        String code = readResource(beside);
        return code == null ? libraryHeader(header) : code;
    }

    private static @Nullable String libraryHeader(String header) {
        return readResource(LIBRARY + header);
    }

    private static @Nullable String readFile(Path file) {
        if (!Files.isRegularFile(file)) {
            return null;
        }
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read OpenCL source: file=" + file, e);
        }
    }

    /// The caller's class loader may hold kernels of its own, so it is asked when ours has nothing.
    private static @Nullable String readResource(String path) {
        return Stream.of(Source.class.getClassLoader(), Thread.currentThread().getContextClassLoader())
                .filter(Objects::nonNull)
                .map(loader -> readResource(loader, path))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private static @Nullable String readResource(ClassLoader loader, String path) {
        try (InputStream in = loader.getResourceAsStream(path)) {
            return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read OpenCL source: resource=" + path, e);
        }
    }
}
