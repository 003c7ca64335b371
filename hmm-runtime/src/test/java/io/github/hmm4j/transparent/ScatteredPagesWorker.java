package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.space.Protection;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// A program that writes, protects and (wrongly) reads every second page of a large region, and starts a thread after each.
///
/// Arguments: `MODE pageBytes pages written`. Last line: `done name=number ...`.
final class ScatteredPagesWorker {

    /// Touches that must be errors, after protecting and after freeing.
    static final long ERRORS = 35_000;

    private static long mappings;

    private ScatteredPagesWorker() {}

    public static void main(String[] args) throws Exception {
        int pageBytes = Integer.parseInt(args[1]);
        int pages = Integer.parseInt(args[2]);
        int written = Integer.parseInt(args[3]);
        long bytes = (long) pageBytes * pages;
        long shielded = 0;
        long freed = 0;
        try (Hmm hmm = Hmm.builder().heap(bytes + ByteSize.mib(4)).pageSize(pageBytes).faultAround(0).hostAccess(HostAccess.Mode.valueOf(args[0])).open()) {
            MemorySegment a = hmm.heap().allocate(bytes, pageBytes);
            for (int page = 0; page < written; page += 2) {
                set(a, (long) page * pageBytes, page);
            }
            look();
            for (int page = 0; page < pages; page += 2) {
                hmm.heap().protect(a.asSlice((long) page * pageBytes, pageBytes), page % 4 == 0 ? Protection.READ : Protection.NONE);
                shielded++;
            }
            look();
            for (int page = 0; page < written; page += 4) {
                require(get(a, (long) page * pageBytes) == page, "page " + page);
            }
            for (int page = 0; page < 2 * ERRORS; page += 2) {
                require(errs(a, (long) page * pageBytes, true), "no error of page " + page);
            }
            look();
            hmm.heap().free(a);
            MemorySegment addresses = MemorySegment.ofAddress(a.address()).reinterpret(bytes);
            for (int page = 0; page < 2 * ERRORS; page += 2) {
                freed += errs(addresses, (long) page * pageBytes, false) ? 1 : 0;
            }
            look();
        }
        System.out.printf("done protected=%d freed=%d mappings=%d%n", shielded, freed, mappings);
    }

    /// Starts a thread, which takes a few mappings, and notes how many there are.
    private static void look() throws IOException, InterruptedException {
        Thread thread = Thread.ofPlatform().start(() -> {});
        thread.join();
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            mappings = Math.max(mappings, lines.count());
        }
    }

    private static boolean errs(MemorySegment a, long offset, boolean write) {
        try {
            if (write) {
                set(a, offset, 1);
            } else {
                get(a, offset);
            }
            return false;
        } catch (InternalError e) {
            return true;
        }
    }

    private static int get(MemorySegment a, long offset) {
        return a.get(JAVA_INT, offset);
    }

    private static void set(MemorySegment a, long offset, int value) {
        a.set(JAVA_INT, offset, value);
    }

    private static void require(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }
}
