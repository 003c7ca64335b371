package io.github.hmm4j.migrate;

import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.PagePoisonedException;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageWord;
import java.util.Locale;

/// The typed errors that a page word can mean.
public final class PageErrors {

    private PageErrors() {}

    /// Says why the contents of a page are lost.
    static PagePoisonedException poisoned(ManagedPages heap, long page, String what) {
        long address = heap.space().addressOf(page);
        return heap.inFlight().failureOf(page).map(failure -> new PagePoisonedException(address, what, failure)).orElseGet(() -> new PagePoisonedException(address, what));
    }

    /// Refuses an access that the page's protection forbids or that finds no region or no contents.
    ///
    /// @param what the operation, for the message
    public static void requireAccess(ManagedPages heap, long page, long word, boolean write, String what) {
        long address = heap.space().addressOf(page);
        if (!PageWord.isReadable(word)) {
            throw new AccessViolationException(AccessViolationException.Kind.FAULT, address, what);
        }
        if (write && !PageWord.isWritable(word)) {
            throw new AccessViolationException(AccessViolationException.Kind.PERMISSION, address, what);
        }
        PageState state = PageWord.state(word);
        if (state == PageState.POISONED) {
            throw poisoned(heap, page, what);
        }
        if (state == PageState.UNMAPPED) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "%s refused: address=0x%x was freed",
                    what, address));
        }
    }
}
