package io.github.hmm4j.space;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.error.HmmException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The native part of the runtime, `libhmm.so`, or the reason why it is not there; and the one seam to native functions other than system calls.
///
/// The library is a resource of the jar, for each platform that it was built for; it is loaded from a copy in the
/// folder for temporary files, or from memory if nothing can be loaded there. `-Dhmm.native=FILE` takes that file
/// instead, `-Dhmm.native=none` does without. What is
/// loaded stays to the end of the process: the library installs a signal handler, which must never dangle. Whether the two parts understand each other is for the
/// caller to compare (`hmm_abi`); here it must only answer.
///
/// Threads: any. Immutable.
public final class NativeCode {

    private static final Logger LOG = LoggerFactory.getLogger(NativeCode.class);
    private static final String SETTING = "hmm.native";

    private final @Nullable SymbolLookup symbols;
    private final String whyNot;

    /// Loads on first use, once.
    private static final class Loaded {
        private static final NativeCode CODE = load(System.getProperty(SETTING), platform(), System.getProperty("java.io.tmpdir"), NativeCode::openInMemory);
    }

    private NativeCode(@Nullable SymbolLookup symbols, String whyNot) {
        this.symbols = symbols;
        this.whyNot = whyNot;
    }

    /// The native part of this process; the same at every call. Never fails: ask [#symbols] or [#whyNot].
    public static NativeCode load() {
        return Loaded.CODE;
    }

    /// `setting` is the value of `hmm.native`; `temporary` a folder for the file that the library is loaded from, which
    /// is gone when this returns; `otherwise` what to do if that cannot be, since the folder forbids programs
    /// (`noexec`), is full, or has a name that this JVM cannot spell.
    static NativeCode load(@Nullable String setting, String platform, String temporary, Otherwise otherwise) {
        if ("none".equals(setting)) {
            return absent("it is switched off by -D" + SETTING + "=none");
        }
        if (setting != null) {
            return open(Path.of(setting).toAbsolutePath(), "-D" + SETTING + "=" + setting);
        }
        String resource = "/io/github/hmm4j/native/" + platform + "/libhmm.so";
        byte[] library;
        try (InputStream stream = NativeCode.class.getResourceAsStream(resource)) {
            if (stream == null) {
                return absent("it was not built for this platform: " + platform);
            }
            library = stream.readAllBytes();
        } catch (IOException e) {
            return absent("libhmm.so of this jar cannot be read: " + e);
        }
        NativeCode copied = openCopy(library, temporary);
        if (copied.symbols != null) {
            return copied;
        }
        NativeCode other = otherwise.open(library);
        if (other.symbols == null) {
            LOG.warn("{} {} Set -Djava.io.tmpdir to a folder from which programs may run, or -D{} to the library", copied.whyNot, other.whyNot, SETTING);
            return new NativeCode(null, copied.whyNot + " " + other.whyNot);
        }
        return other;
    }

    /// Another way to load the library.
    @FunctionalInterface
    interface Otherwise {
        NativeCode open(byte[] library);
    }

    /// From a file in memory, which has no folder. It stays open: the dynamic linker knows a library by its path, so
    /// the next one must have another.
    static NativeCode openInMemory(byte[] library) {
        String source = "libhmm.so of this jar, in memory";
        try {
            String path = "/proc/self/fd/" + SystemCalls.memfd("libhmm.so", library.length);
            try (OutputStream file = new FileOutputStream(path)) {
                file.write(library);
            }
            return checked(SymbolLookup.libraryLookup(path, Arena.global()), source);
        } catch (IOException | HmmException | IllegalArgumentException e) {
            return absent("it cannot be loaded: " + e.getMessage() + " (" + source + ")");
        }
    }

    /// The functions of the native part; empty if it is not there, and then [#whyNot] says why.
    public Optional<SymbolLookup> symbols() {
        return Optional.ofNullable(symbols);
    }

    /// One sentence for people about why the native part is not there; empty if it is.
    public String whyNot() {
        return whyNot;
    }

    /// Calls a function of the native part, which may take long and returns its errors as `-errno`.
    ///
    /// @throws IllegalStateException if the native part is not there or has no such function
    public MethodHandle downcall(String name, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(find(name), descriptor);
    }

    /// Where a function of the native part begins, to be handed to other native code.
    ///
    /// @throws IllegalStateException if the native part is not there or has no such function
    public long address(String name) {
        return find(name).address();
    }

    /// Where a function of another shared library begins, which the dynamic linker finds by name or path and which then stays; empty if there is no such library or
    /// function.
    public static OptionalLong libraryFunction(String library, String name) {
        try {
            Optional<MemorySegment> function = SymbolLookup.libraryLookup(library, Arena.global()).find(name);
            return function.isPresent() ? OptionalLong.of(function.get().address()) : OptionalLong.empty();
        } catch (IllegalArgumentException noSuchLibrary) {
            return OptionalLong.empty();
        }
    }

    /// Calls a function of another shared library, which is found as in [#libraryFunction].
    public static Optional<MethodHandle> libraryDowncall(String library, String name, FunctionDescriptor descriptor) {
        OptionalLong function = libraryFunction(library, name);
        return function.isPresent()
                ? Optional.of(Linker.nativeLinker().downcallHandle(MemorySegment.ofAddress(function.getAsLong()), descriptor))
                : Optional.empty();
    }

    private MemorySegment find(String name) {
        if (symbols == null) {
            throw new IllegalStateException(whyNot + " function=" + name);
        }
        return symbols.find(name).orElseThrow(() -> new IllegalStateException("libhmm.so has no such function: function=" + name));
    }

    /// Opens a copy in a folder of its own that only this user may enter, and deletes both: a library that is open needs its file no more.
    private static NativeCode openCopy(byte[] library, String temporary) {
        try {
            var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
            Path folder = Files.createTempDirectory(Path.of(temporary), "hmm4j-", ownerOnly);
            Path file = folder.resolve("libhmm.so");
            try {
                Files.write(file, library);
                return open(file, "libhmm.so of this jar, copied to " + temporary);
            } finally {
                Files.deleteIfExists(file);
                Files.deleteIfExists(folder);
            }
        } catch (IOException | InvalidPathException | UnsupportedOperationException e) { // the last: a file system without owners
            return absent("libhmm.so of this jar cannot be copied to " + temporary + ": " + e);
        }
    }

    private static NativeCode open(Path file, String source) {
        if (!Files.isRegularFile(file)) {
            return absent("there is no such file: " + source);
        }
        SymbolLookup symbols;
        try {
            symbols = SymbolLookup.libraryLookup(file, Arena.global());
        } catch (IllegalArgumentException e) {
            return absent("it cannot be loaded: " + reasonOfLinker(file) + " (" + source + ")");
        }
        return checked(symbols, source);
    }

    private static NativeCode checked(SymbolLookup symbols, String source) {
        return answers(symbols) ? new NativeCode(symbols, "") : absent("this is not the library of hmm4j: " + source);
    }

    /// The lookup keeps the reason to itself; `System.load` tells it, and knows more than the dynamic linker about libraries for another machine.
    private static String reasonOfLinker(Path file) {
        try {
            System.load(file.toString());
            return "no reason was given"; // it had failed a moment ago
        } catch (UnsatisfiedLinkError e) {
            return String.valueOf(e.getMessage()).replace(file + ": ", "");
        }
    }

    /// Whether `hmm_abi` is there and has a table to show.
    private static boolean answers(SymbolLookup symbols) {
        Optional<MemorySegment> abi = symbols.find("hmm_abi");
        if (abi.isEmpty()) {
            return false;
        }
        try {
            MethodHandle numbers = Linker.nativeLinker().downcallHandle(abi.get(), FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
            return (int) numbers.invokeExact(MemorySegment.NULL, 0) > 0;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    static NativeCode absent(String reason) {
        return new NativeCode(null, "The native part is not there: " + reason + ".");
    }

    /// As the folders of the library are called: `linux-x86_64`, `linux-aarch64`.
    static String platform() {
        String machine = System.getProperty("os.arch");
        return System.getProperty("os.name").toLowerCase(Locale.ROOT) + "-" + (machine.equals("amd64") ? "x86_64" : machine);
    }
}
