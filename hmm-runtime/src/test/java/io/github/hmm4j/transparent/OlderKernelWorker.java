package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.pager.HostAccess;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A program that takes the best host access there is, and asks for userfaultfd. Lines: `best: MODE, why`, `UFFD: why
/// not`, `UFFD_IN_THREAD: why not`, `done touched=1`.
final class OlderKernelWorker {

    private static final int PAGE = 4096;

    private OlderKernelWorker() {}

    public static void main(String[] args) {
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(1)).hostOnly().open()) {
            System.out.printf("best: %s, %s%n", hmm.hostAccess().mode(), hmm.hostAccess().why());
            MemorySegment a = hmm.heap().allocate(PAGE, PAGE);
            a.set(JAVA_INT, 0, 1);
            for (HostAccess.Mode mode : List.of(HostAccess.Mode.UFFD, HostAccess.Mode.UFFD_IN_THREAD)) {
                try (Hmm other = Hmm.builder().heap(ByteSize.mib(1)).hostOnly().hostAccess(mode).open()) {
                    throw new AssertionError(mode + " is there: " + other.hostAccess());
                } catch (HostAccessUnavailableException e) {
                    System.out.printf("%s: %s%n", mode, e.getMessage());
                }
            }
            System.out.printf("done touched=%d%n", a.get(JAVA_INT, 0));
        }
    }
}
