package io.github.hmm4j.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.module.ModuleReader;
import java.lang.module.ResolvedModule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The text of one OpenCL C program, with headers that lie beside it, and those of this library, already in place.
///
/// `#include "..."` of such a header is replaced by its text, each time; `#line` directives around it make the compiler
/// name the real file and line in its messages. A header is looked for beside the file that includes it, then beside
/// the program's own file, then among the headers of this library (`hmm.clh`). Conditions, guards, `#pragma once` and
/// headers that are found nowhere stay what they are for the compiler: so do `#include <...>` and what the options'
/// `-I` leads to.
///
/// Files and resources are in UTF-8, or else in ISO-8859-1; a byte order mark goes before both. Line ends become `\n`.
/// Immutable, so any thread may share one.
public final class Source {

    static final String KERNELS = "opencl/kernels/";
    static final String LIBRARY = "opencl/lib/";

    private final String name;
    private final Includes.Joined joined;

    private Source(Header program, Includes.Finder finder) {
        name = program.name();
        joined = Includes.join(program, finder);
    }

    /// A kernel file from the class path: one of this library (`"matmul.cl"`), else the resource of that name.
    ///
    /// @throws IllegalArgumentException if there is none, or there is a NUL in the text, or a NUL or a line end in the
    /// name
    public static Source resource(String name) {
        Objects.requireNonNull(name, "name");
        return Stream.of(KERNELS + name, name)
                .flatMap(path -> ofResource(name, path, Source::readResource).stream())
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "no such OpenCL source on the class path: name=" + name
                                + ", tried " + KERNELS + name + " and " + name
                                + "; what a module or package of its own holds is found by resource(Class, name)"));
    }

    /// A kernel file that belongs to a class, as [Class#getResource] has it: named from the package of `owner`, or with
    /// a slash in front from the root of its module or class path. Works for modules, too, whether they open that
    /// package or not.
    ///
    /// @throws IllegalArgumentException if there is none, or there is a NUL in the text, or a NUL or a line end in the
    /// name
    public static Source resource(Class<?> owner, String name) {
        Objects.requireNonNull(owner, "owner");
        Objects.requireNonNull(name, "name");
        String folder = owner.getPackageName().isEmpty() ? "" : owner.getPackageName().replace('.', '/') + "/";
        String path = name.startsWith("/") ? name.substring(1) : folder + name;
        return ofResource(name, path, each -> readResource(owner, each)).orElseThrow(() -> new IllegalArgumentException(
                "no such OpenCL source: name=" + name + ", tried " + path + " where class=" + owner.getName() + " is"));
    }

    /// A kernel file of the file system; compiler messages name it by `file` as given.
    ///
    /// @throws IllegalArgumentException if there is none, or there is a NUL in the text, or a NUL or a line end in the
    /// name
    /// @throws UncheckedIOException if it exists but cannot be read
    public static Source file(Path file) {
        String code = readFile(Objects.requireNonNull(file, "file"));
        if (code == null) {
            throw new IllegalArgumentException("no such OpenCL source file: file=" + file);
        }
        Path folder = file.toAbsolutePath().normalize();
        return new Source(new Header(file.toString(), folder.toString(), code), (from, header) -> {
            Map<Path, String> places = new LinkedHashMap<>(); // with what a header that lies there is called
            places.put(Path.of(from.place()).resolveSibling(header),
                    from.place().equals(folder.toString()) ? header : from.nameBeside(header));
            places.putIfAbsent(folder.resolveSibling(header), header);
            for (Map.Entry<Path, String> place : places.entrySet()) {
                String text = readFile(place.getKey());
                if (text != null) {
                    return new Header(place.getValue(), place.getKey().normalize().toString(), text);
                }
            }
            return libraryHeader(header);
        });
    }

    /// Code from a string; compiler messages call it `name`. Of headers, those of this library are put in place.
    ///
    /// @throws IllegalArgumentException if there is a NUL in the text, or a NUL or a line end in the name
    public static Source text(String name, String code) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(code, "code");
        return new Source(new Header(name, "", Encoding.withoutMark(code)), (_, header) -> libraryHeader(header));
    }

    /// What compiler messages call this program: the resource, the file or the given name.
    public String name() {
        return name;
    }

    /// The whole program, ready for `clCreateProgramWithSource`.
    public String text() {
        return joined.text();
    }

    /// Whether the compiler still has headers to find, so that what it compiles is not known from [#text] alone.
    public boolean leavesIncludes() {
        return joined.leavesIncludes();
    }

    @Override
    public String toString() {
        return "Source[" + name + "]";
    }

    /// Reads a resource by its path from the root.
    @FunctionalInterface
    private interface Reader {
        @Nullable String read(String path);
    }

    private static Optional<Source> ofResource(String name, String path, Reader reader) {
        String code = reader.read(path);
        if (code == null) {
            return Optional.empty();
        }
        Header program = new Header(name, path, code);
        return Optional.of(new Source(program, (from, header) -> {
            Map<String, String> places = new LinkedHashMap<>(); // with what a header that lies there is called
            places.put(normalized(from.beside(header)), from.place().equals(path) ? header : from.nameBeside(header));
            places.putIfAbsent(normalized(program.beside(header)), header);
            for (Map.Entry<String, String> place : places.entrySet()) {
                String text = reader.read(place.getKey());
                if (text != null) {
                    return new Header(place.getValue(), place.getKey(), text);
                }
            }
            return libraryHeader(header);
        }));
    }

    private static @Nullable Header libraryHeader(String header) {
        String code = readResource(LIBRARY + header);
        return code == null ? null : new Header(header, LIBRARY + header, code);
    }

    private static String normalized(String path) {
        Deque<String> parts = new ArrayDeque<>();
        for (String part : path.split("/", -1)) {
            if (part.equals("..") && !parts.isEmpty()) {
                parts.removeLast();
            } else if (!part.equals(".")) {
                parts.addLast(part);
            }
        }
        return String.join("/", parts);
    }

    private static @Nullable String readFile(Path file) {
        if (!Files.isRegularFile(file)) {
            return null;
        }
        try {
            return Encoding.decode(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read OpenCL source: file=" + file, e);
        }
    }

    /// The caller's class loader may hold kernels of its own, so it is asked when ours has nothing.
    private static @Nullable String readResource(String path) {
        return Stream.of(Source.class.getClassLoader(), Thread.currentThread().getContextClassLoader())
                .filter(Objects::nonNull)
                .map(loader -> read(path, () -> loader.getResourceAsStream(path)))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private static @Nullable String readResource(Class<?> owner, String path) {
        String code = read(path, () -> owner.getResourceAsStream("/" + path));
        return code == null ? readOfModule(owner.getModule(), path) : code;
    }

    /// A class shows us what lies in packages that its module opens to us only; but who hands over a class of its own
    /// hands over what lies beside it.
    private static @Nullable String readOfModule(Module module, String path) {
        if (module.getLayer() == null) {
            return null;
        }
        Optional<ResolvedModule> resolved = module.getLayer().configuration().findModule(module.getName());
        if (resolved.isEmpty()) {
            return null;
        }
        try (ModuleReader reader = resolved.get().reference().open()) {
            return read(path, () -> reader.open(path).orElse(null));
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    @FunctionalInterface
    private interface Opening {
        @Nullable InputStream open() throws IOException;
    }

    private static @Nullable String read(String path, Opening opening) {
        try (InputStream in = opening.open()) {
            return in == null ? null : Encoding.decode(in.readAllBytes());
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    private static UncheckedIOException unreadable(String path, IOException e) {
        return new UncheckedIOException("cannot read OpenCL source: resource=" + path, e);
    }
}
