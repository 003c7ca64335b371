package io.github.hmm4j.pager;

/// The ladder of ways to notice host accesses, best first. The ordinal is the number that native code knows it by.
enum Rung {
    UFFD_SYSCALL(HostAccess.Mode.UFFD, true, "userfaultfd"),
    UFFD_DEVICE(HostAccess.Mode.UFFD, true, "/dev/userfaultfd"),
    UFFD_USER(HostAccess.Mode.UFFD, false, "userfaultfd for user mode only"),
    SIGSEGV(HostAccess.Mode.SIGSEGV, false, "memory protection and SIGSEGV");

    private final HostAccess.Mode mode;
    private final boolean fromSystemCalls;
    private final String text;

    Rung(HostAccess.Mode mode, boolean fromSystemCalls, String text) {
        this.mode = mode;
        this.fromSystemCalls = fromSystemCalls;
        this.text = text;
    }

    HostAccess.Mode mode() {
        return mode;
    }

    boolean fromSystemCalls() {
        return fromSystemCalls;
    }

    String text() {
        return text;
    }
}
