package io.github.hmm4j.pager;

/// The ladder of ways to notice host accesses, best first; the last but one is taken only when it is asked for, and the last, which notices none, when nothing else works. The ordinal is the number
/// that native code knows it by.
enum Rung {
    UFFD_SYSCALL(HostAccess.Mode.UFFD, true, "userfaultfd"),
    UFFD_DEVICE(HostAccess.Mode.UFFD, true, "/dev/userfaultfd"),
    UFFD_USER(HostAccess.Mode.UFFD, false, "userfaultfd for user mode only"),
    SIGSEGV(HostAccess.Mode.SIGSEGV, false, "memory protection and SIGSEGV"),
    UFFD_IN_THREAD(HostAccess.Mode.UFFD_IN_THREAD, false, "userfaultfd with SIGBUS, served in the touching thread"),
    CHECKED(HostAccess.Mode.CHECKED, false, "views only");

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

    /// Whether nobody gets it who does not ask for it.
    boolean onlyAsked() {
        return this == UFFD_IN_THREAD;
    }

    boolean fromSystemCalls() {
        return fromSystemCalls;
    }

    String text() {
        return text;
    }
}
