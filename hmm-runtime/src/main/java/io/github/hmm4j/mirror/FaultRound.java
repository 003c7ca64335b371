package io.github.hmm4j.mirror;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What kernels wrote down in one round of a launch that goes through the page table.
///
/// @param unfinished whether some work-item has to run again
/// @param progress   whether some work-item came to its end
/// @param faults     pages that were missing, each once for each way of access; not all of them if there were many
/// @param violation  an access that no page can serve, or null
public record FaultRound(boolean unfinished, boolean progress, List<Fault> faults, @Nullable Violation violation) {

    /// A page that was asked for and not found.
    ///
    /// @param rank of the first work-item that asked, counted group by group; of the first of its work-group where those leave together
    public record Fault(long page, boolean write, long rank) {}

    /// An access outside the heap, or to an object that crosses the end of its page.
    ///
    /// @param item linear global number of the work-item
    public record Violation(long addressBytes, boolean write, boolean crossesPage, long item) {}
}
