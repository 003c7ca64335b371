package io.github.hmm4j.mirror;

import io.github.hmm4j.space.PageRange;

/// Pages that one launch uses, and whether it may write to them.
public record PageUse(PageRange pages, boolean writes) {}
