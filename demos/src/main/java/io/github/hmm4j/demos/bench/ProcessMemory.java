package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/// Memory that this process has.
final class ProcessMemory {
    private static final Path MAPPINGS = Path.of("/proc/self/smaps_rollup");

    private ProcessMemory() {}

    /// All of it, shared or not.
    static long residentBytes() throws IOException {
        return bytes("Rss:");
    }

    /// What is its own and no file's: tables, buffers, stacks, the driver's memory, and objects on the Java heap that are no garbage. Of the Java heap itself also what was used since it was made.
    static long ownBytes() throws IOException {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() + bytes("Anonymous:");
    }

    private static long bytes(String name) throws IOException {
        for (String line : Files.readAllLines(MAPPINGS)) {
            if (line.startsWith(name)) {
                return ByteSize.kib(Long.parseLong(line.replaceAll("\\D", "")));
            }
        }
        throw new IOException("file=" + MAPPINGS + " has no line " + name);
    }
}
