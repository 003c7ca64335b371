package io.github.hmm4j.conformance;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What Linux says of this process: the outside view of what the runtime says of itself.
final class ProcFs {

    static final int SYSTEM_PAGE_BYTES = 4096;
    private static final Path SELF = Path.of("/proc/self");
    private static final String HEAP = "memfd:hmm-heap";
    private static final String TRAP = "userfaultfd";
    private static final Pattern MAPPING = Pattern.compile("[0-9a-f]+-[0-9a-f]+ ");
    private static final long PRESENT = 1L << 63;
    private static final int LOOKS = 10_000;
    private static final long EXITING = 0x4; // PF_EXITING of include/linux/sched.h

    private ProcFs() {}

    /// Heaps and the traps that watch them, by what their descriptors are; sorted.
    static List<String> heapsAndTraps() {
        return descriptors(HEAP, TRAP).values().stream().sorted().toList();
    }

    /// Descriptors of the memory behind heaps.
    static Set<Integer> heaps() {
        return descriptors(HEAP).keySet();
    }

    private static Map<Integer, String> descriptors(String... kinds) {
        Map<Integer, String> found = new TreeMap<>();
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(SELF.resolve("fd"))) {
            for (Path descriptor : descriptors) {
                if (Files.isSymbolicLink(descriptor)) { // the one of this listing is gone when it is looked at
                    String target = Files.readSymbolicLink(descriptor).toString();
                    if (Stream.of(kinds).anyMatch(target::contains)) {
                        found.put(Integer.valueOf(descriptor.getFileName().toString()), target);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    /// The thread that asks, and the native threads that it has started and that have given themselves no name: those that serve the heaps that it has opened.
    ///
    /// Whoever joins a thread goes on before Linux has taken it off this list: one that is ending is not counted.
    static long threadsOfThisThread() {
        long found = 0;
        String name = nameOf(Path.of("/proc/thread-self"));
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(SELF.resolve("task"))) {
            for (Path thread : threads) {
                found += nameOf(thread).equals(name) && !isEnding(thread) ? 1 : 0;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    /// The same, once it is no more than `most`, or after so many looks: a thread of the crew says that it ends, and whoever closes the heap goes on before it has begun to. One that serves a heap does not go.
    static long threadsOfThisThread(long most) {
        long threads = threadsOfThisThread();
        for (int looks = 0; threads > most && looks < LOOKS; looks++) {
            Thread.yield();
            threads = threadsOfThisThread();
        }
        return threads;
    }

    private static String nameOf(Path thread) {
        try {
            return Files.readString(thread.resolve("comm"));
        } catch (IOException e) {
            return ""; // it has ended
        }
    }

    /// Where Linux tells of the thread that asks.
    static Path thisThread() throws IOException {
        return Path.of("/proc").resolve(Files.readSymbolicLink(Path.of("/proc/thread-self")));
    }

    /// Whether a thread of this process sleeps, at this moment; one that has ended does not.
    static boolean isAsleep(Path thread) {
        return statusOf(thread).map(status -> status[0].equals("S")).orElse(false);
    }

    private static boolean isEnding(Path thread) {
        return statusOf(thread).map(status -> (Long.parseLong(status[6]) & EXITING) != 0).orElse(true);
    }

    /// The fields of `stat` from the state on: what stands before them is the thread's name, which may hold spaces. None of a thread that has ended.
    private static Optional<String[]> statusOf(Path thread) {
        try {
            String stat = Files.readString(thread.resolve("stat"));
            return Optional.of(stat.substring(stat.lastIndexOf(')') + 2).split(" "));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// Bytes of heaps that are mapped and in memory, each mapping for itself (`Rss` of `smaps`).
    static long residentHeapBytes() {
        long resident = 0;
        boolean ofHeap = false;
        try {
            for (String line : Files.readAllLines(SELF.resolve("smaps"))) {
                if (MAPPING.matcher(line).lookingAt()) {
                    ofHeap = line.contains(HEAP);
                } else if (ofHeap && line.startsWith("Rss:")) {
                    resident += Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return resident;
    }

    /// How many system pages of a range the processor can read without a fault: they are mapped, and their protection allows it.
    static long reachablePages(long addressBytes, long lengthBytes) {
        long reachable = 0;
        try (RandomAccessFile pagemap = new RandomAccessFile(SELF.resolve("pagemap").toFile(), "r")) {
            for (long at = addressBytes; at < addressBytes + lengthBytes; at += SYSTEM_PAGE_BYTES) {
                pagemap.seek(at / SYSTEM_PAGE_BYTES * Long.BYTES);
                boolean present = (Long.reverseBytes(pagemap.readLong()) & PRESENT) != 0;
                reachable += present && isReadable(at) ? 1 : 0;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return reachable;
    }

    /// What `mprotect` left: a page without any permission counts as present.
    private static boolean isReadable(long addressBytes) throws IOException {
        for (String line : Files.readAllLines(SELF.resolve("maps"))) {
            int dash = line.indexOf('-');
            int space = line.indexOf(' ');
            long start = Long.parseUnsignedLong(line.substring(0, dash), 16);
            long end = Long.parseUnsignedLong(line.substring(dash + 1, space), 16);
            if (Long.compareUnsigned(start, addressBytes) <= 0 && Long.compareUnsigned(addressBytes, end) < 0) {
                return line.charAt(space + 1) == 'r';
            }
        }
        return false;
    }
}
