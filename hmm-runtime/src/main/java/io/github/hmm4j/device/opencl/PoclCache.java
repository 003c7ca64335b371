package io.github.hmm4j.device.opencl;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// Where POCL keeps what it has compiled. Without such a folder it has no device, and does not say why.
final class PoclCache {

    /// As POCL calls its platform.
    static final String PLATFORM = "Portable Computing Language";

    private PoclCache() {}

    /// What is wrong with the folder, for people; empty if nothing is.
    static Optional<String> problem(Map<String, String> environment) {
        String folder = folder(environment);
        try {
            Path existing = Path.of(folder).toAbsolutePath();
            while (!Files.exists(existing) && existing.getParent() != null) {
                existing = existing.getParent();
            }
            return Files.isDirectory(existing) && Files.isWritable(existing) && !isProc(existing)
                    ? Optional.empty()
                    : Optional.of("POCL cannot write to its cache folder %s (%s is not writable): set POCL_CACHE_DIR to one that it can".formatted(folder, existing));
        } catch (InvalidPathException e) {
            return Optional.empty(); // this JVM cannot name it, which says nothing about POCL
        }
    }

    /// There root may write to folders in which nothing can be made.
    private static boolean isProc(Path existing) {
        return existing.startsWith("/proc") || existing.startsWith("/sys");
    }

    private static String folder(Map<String, String> environment) {
        String own = environment.get("POCL_CACHE_DIR");
        if (own != null) {
            return own;
        }
        String caches = environment.get("XDG_CACHE_HOME");
        String home = environment.get("HOME");
        return caches != null ? caches + "/pocl/kcache" : home != null ? home + "/.cache/pocl/kcache" : "/tmp/pocl/kcache";
    }
}
