package io.github.hmm4j.migrate;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.space.PageRange;
import org.jspecify.annotations.Nullable;

/// Copies to the host that were given up and may be carried out all the same: what they write to is nobody's until they have ended.
///
/// Threads: any.
final class StuckCopies {

    /// Made before a copy begins, since whoever notes that it is stuck may find the Java heap full.
    static final class Note {

        private final PageRange pages;
        private @Nullable Completion copy;
        private @Nullable Note next;

        /// @param pages that the copy writes to, or more
        Note(PageRange pages) {
            this.pages = pages;
        }
    }

    private @Nullable Note first;

    /// Keeps a note of a copy whose outcome is known, if that is not its end.
    synchronized void keepIfStuck(Note note, Completion copy) {
        if (copy.mayStillRun()) {
            note.copy = copy;
            note.next = first;
            first = note;
        }
    }

    /// @return a copy that may still write to one of the pages; null if none may
    synchronized @Nullable Completion writingTo(PageRange pages) {
        for (Note note = first; note != null; note = note.next) {
            if (note.pages.overlaps(pages) && note.copy != null && note.copy.mayStillRun()) {
                return note.copy;
            }
        }
        return null;
    }

    /// @throws io.github.hmm4j.error.HmmException what the copy failed with that may still write to one of the pages
    void refuse(PageRange pages) {
        Completion copy = writingTo(pages);
        if (copy != null) {
            copy.await();
        }
    }
}
