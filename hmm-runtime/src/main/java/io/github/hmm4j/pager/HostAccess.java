package io.github.hmm4j.pager;

/// How the host reaches managed memory, and why so.
///
/// @param mode what is in use
/// @param why  one sentence for people
public record HostAccess(Mode mode, String why) {

    /// Ways to reach managed memory.
    public enum Mode {
        /// STAND-IN, replaced when merging: plain loads and stores, by userfaultfd.
        UFFD,
        /// STAND-IN, replaced when merging: plain loads and stores, by signals.
        SIGSEGV,
        /// Through views; a raw touch is refused.
        CHECKED
    }
}
