package io.github.hmm4j.device.opencl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// POCL's compiler replaces the signal handlers that the JVM needs for its safepoints; `libjsig.so` keeps both.
final class PoclSignals {

    private static final Logger LOG = LoggerFactory.getLogger(PoclSignals.class);
    private static final Path MAPS = Path.of("/proc/self/maps");

    private PoclSignals() {}

    static void warnUnlessChained(ClDeviceId id) {
        String problem = problem(id.platformName());
        if (!problem.isEmpty()) {
            LOG.warn("{}", problem);
        }
    }

    /// What is wrong with this process for a platform, and what to do; empty if nothing is.
    static String problem(String platformName) {
        return platformName.equals(PoclCache.PLATFORM) && Files.exists(MAPS) && !isPreloaded()
                ? "POCL replaces signal handlers of the JVM: builds can fail, their logs can be lost, and the process can die. Start it with LD_PRELOAD="
                        + System.getProperty("java.home") + "/lib/libjsig.so"
                : "";
    }

    private static boolean isPreloaded() {
        try (Stream<String> lines = Files.lines(MAPS)) {
            return lines.anyMatch(line -> line.contains("libjsig.so"));
        } catch (IOException e) {
            LOG.debug("cannot tell whether libjsig is loaded", e);
            return true;
        }
    }
}
