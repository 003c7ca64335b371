package io.github.hmm4j.emulated;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.device.opencl.ClBinding;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;

/// The functions of the layer (`reins.c`), in the instance that the loader of OpenCL has loaded into this process.
final class Reins {

    private static final String LAYERS = "OPENCL_LAYERS";

    private static @Nullable SymbolLookup layer;

    private Reins() {}

    static boolean asks(String function, Object... arguments) {
        return (boolean) call(JAVA_BOOLEAN, function, arguments);
    }

    static int status(String function, Object... arguments) {
        return (int) call(JAVA_INT, function, arguments);
    }

    static long number(String function, Object... arguments) {
        return (long) call(JAVA_LONG, function, arguments);
    }

    static MemorySegment address(String function, Object... arguments) {
        return (MemorySegment) call(ADDRESS, function, arguments);
    }

    static void tell(String function, Object... arguments) {
        run(FunctionDescriptor.ofVoid(layouts(arguments)), function, arguments);
    }

    private static Object call(MemoryLayout result, String function, Object... arguments) {
        return run(FunctionDescriptor.of(result, layouts(arguments)), function, arguments);
    }

    /// Some wait, for other threads of Java, too: a thread in native code keeps nobody from going on.
    private static Object run(FunctionDescriptor type, String function, Object... arguments) {
        MemorySegment at = layer().find("hmm_gpu_" + function).orElseThrow(() -> new IllegalStateException("this emulated GPU has no reins: " + function));
        try {
            return Linker.nativeLinker().downcallHandle(at, type).invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError(function, e);
        }
    }

    private static MemoryLayout[] layouts(Object... arguments) {
        return Stream.of(arguments).map(each -> switch (each) {
            case Boolean _ -> JAVA_BOOLEAN;
            case Integer _ -> JAVA_INT;
            case Long _ -> JAVA_LONG;
            case MemorySegment _ -> ADDRESS;
            default -> throw new IllegalArgumentException("of no type of C: " + each);
        }).toArray(MemoryLayout[]::new);
    }

    /// Opened again by its path, a library is the one that is there. Not in the initializer of a class: what that throws would abort no test.
    private static synchronized SymbolLookup layer() {
        if (layer == null) {
            layer = load();
        }
        return layer;
    }

    private static SymbolLookup load() {
        String path = System.getenv(LAYERS);
        if (path == null) {
            throw new IllegalStateException("a test of the emulated GPU runs in a JVM with " + LAYERS + ": tag it emulated-gpu or emulated-igpu (hmm-runtime/pom.xml)");
        }
        if (!Files.exists(Path.of(path))) {
            throw new TestAbortedException("there is no emulated GPU here: " + path);
        }
        if (OpenClDevices.list(ClBinding.LWJGL).stream().noneMatch(each -> each.info().name().startsWith("emulated "))) {
            throw new TestAbortedException("the loader of OpenCL takes no layers, or there is no POCL");
        }
        return SymbolLookup.libraryLookup(path, Arena.global());
    }
}
