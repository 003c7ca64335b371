package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.error.HostMemoryExhaustedException;
import io.github.hmm4j.error.SystemCallFailedException;
import io.github.hmm4j.migrate.PageErrors;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageWord;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/// The exception that a `struct hmm_failure` means.
final class NativeFailure {

    private static final int REFUSED = 1;
    private static final int TOO_MANY_PINS = 2;
    private static final int OPENCL = 3;
    private static final int ENOMEM = 12;
    private static final int ENOSPC = 28;

    private static final String[] CALLS = {
        "memory allocation", "clEnqueueReadBuffer", "clEnqueueWriteBuffer", "clEnqueueCopyBuffer", "clEnqueueNDRangeKernel", "mapping host pages", "taking host pages away",
        "fallocate"
    };

    private NativeFailure() {}

    /// @param write whether the access that failed was for writing
    static RuntimeException of(ManagedPages heap, MemorySegment failure, boolean write, String what) {
        long page = failure.getAtIndex(JAVA_LONG, 1);
        return of(heap, failure, write, what, page + 1);
    }

    /// @param end one past the last page that the call was about
    static RuntimeException of(ManagedPages heap, MemorySegment failure, boolean write, String what, long end) {
        long page = failure.getAtIndex(JAVA_LONG, 1);
        long word = failure.getAtIndex(JAVA_LONG, 2);
        int status = (int) failure.getAtIndex(JAVA_LONG, 3);
        String call = CALLS[(int) failure.getAtIndex(JAVA_LONG, 4)];
        int device = (int) failure.getAtIndex(JAVA_LONG, 5);
        String name = device < heap.mirrors().size() ? " (" + heap.mirror(device).deviceName() + ")" : "";
        String detail = String.format(Locale.ROOT, "%s, address=0x%x, device=%d%s", what, heap.space().addressOf(page), device, name);
        return switch ((int) failure.getAtIndex(JAVA_LONG, 0)) {
            case REFUSED -> refused(heap, page, word, write, what);
            case TOO_MANY_PINS -> new IllegalStateException("more than " + PageWord.MAX_PINS
                    + " views are open on one page: close some, or share one; " + detail);
            case OPENCL -> ClStatus.failure(status, call, detail);
            default -> status == ENOSPC // whatever the call: ENOMEM has other meanings, too
                    ? new HostMemoryExhaustedException(what, heap.space().addressOf(page),
                            heap.space().pageSize().bytesFor(end - page))
                    : systemCall(call, status, detail);
        };
    }

    /// Where memory was refused that is about mappings, more often than about bytes: so both numbers are told.
    static SystemCallFailedException systemCall(String call, int errno, String detail) {
        if (errno != ENOMEM) {
            return new SystemCallFailedException(call, errno, detail);
        }
        PagerCalls.Mappings mappings = PagerCalls.mappings();
        String limit = mappings.most() == 0
                ? ""
                : String.format(Locale.ROOT, ", mappings=%d, of which managed memory may take %d (half of vm.max_map_count) and pins half of that",
                        mappings.used(), mappings.most());
        return new SystemCallFailedException(call, errno, detail + limit);
    }

    private static RuntimeException refused(ManagedPages heap, long page, long word, boolean write, String what) {
        try {
            PageErrors.requireAccess(heap, page, word, write, what);
            return new IllegalStateException("refused without a reason: " + PageWord.describe(word));
        } catch (RuntimeException e) {
            return e;
        }
    }
}
