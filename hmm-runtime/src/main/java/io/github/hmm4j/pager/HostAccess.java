package io.github.hmm4j.pager;

/// How the host reaches managed memory, and why so.
///
/// @param mode            what is in use
/// @param fromSystemCalls whether the kernel, too, can touch managed memory wherever its pages are; where not, a system call on a page of a device fails with `EFAULT`, and
///                        the program pins the range or opens a view
/// @param why             one sentence for people: how this came to be chosen
/// @param better          what would give a better one; empty if this is the best
public record HostAccess(Mode mode, boolean fromSystemCalls, String why, String better) {

    /// Ways to reach managed memory.
    public enum Mode {
        /// By ordinary loads and stores of any code; userfaultfd tells us of those that need a page.
        UFFD,
        /// By ordinary loads and stores of any code; memory protection and a signal tell us. Not from within system
        /// calls, and not by a thread that has `SIGSEGV` blocked: the kernel ends the process then.
        SIGSEGV,
        /// As `UFFD`, but the kernel sends a signal to the thread that touches, which serves the touch itself where it
        /// has to wait for nobody: what costs most of a single touch, waking another thread and being woken, is left
        /// out. Not from within system calls, and not by a thread that has `SIGBUS` blocked. Only where it is asked for.
        UFFD_IN_THREAD,
        /// Through views; a raw touch is refused.
        CHECKED;

        /// Whether managed segments can be touched without a view.
        public boolean isTransparent() {
            return this != CHECKED;
        }
    }
}
