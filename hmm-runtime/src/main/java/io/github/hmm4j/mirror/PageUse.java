package io.github.hmm4j.mirror;

import io.github.hmm4j.space.PageRange;

/// Pages that one launch uses, and whether it may write to them.
///
/// @param inPlace whether its kernel is given the host's pages where they are
public record PageUse(PageRange pages, boolean writes, boolean inPlace) {

    /// Pages that the device has a copy of.
    public PageUse(PageRange pages, boolean writes) {
        this(pages, writes, false);
    }
}
