package io.github.hmm4j;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.pager.NativeNotices;
import io.github.hmm4j.pager.NativeNotices.Kind;
import io.github.hmm4j.pager.NativeNotices.Notice;
import io.github.hmm4j.pager.NativePager;
import io.github.hmm4j.timeline.LongTouchEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Says which touch waits long for which kernel, in the log and on the timeline; and in the log which touch is refused,
/// and why, since the error that the JVM makes of it does not.
///
/// Who serves the touch runs no Java code, so a thread of its own sleeps in native code until there is something to say. If a safepoint is wanted meanwhile it speaks when that is over:
/// the thread that touches is what holds it up.
final class LongTouches implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(LongTouches.class);
    private static final int MOST_REFUSALS = 100; // that are told of: some programs live with such errors

    private final ManagedPages heap;
    private final NativeNotices notices;
    private final Thread thread;
    private final Map<Long, String> waiting = new HashMap<>(); // names of threads that were told of, which may have ended when their touch has

    private String lastRefused = "";
    private int refusals;
    private boolean closed; // as the one who closes the heap knows it

    LongTouches(ManagedPages heap, NativePager pager) {
        this.heap = heap;
        notices = new NativeNotices(heap, pager);
        thread = Thread.ofPlatform().daemon().name("hmm4j long touches").start(this::run);
    }

    private void run() {
        for (Optional<Notice> notice = notices.next(); notice.isPresent(); notice = notices.next()) {
            tell(notice.get());
        }
    }

    private void tellRefused(Notice notice) {
        String what = notice.page() + (notice.write() ? " written: " : " read: ") + notice.reason();
        if (refusals == MOST_REFUSALS || what.equals(lastRefused)) { // a touch may be made again before its thread hears of it
            return;
        }
        lastRefused = what;
        refusals++;
        long address = heap.space().addressOf(notice.page());
        LOG.warn("thread '{}' {} the page at 0x{} of {}, which is an InternalError, or the end of the JVM where it is not prepared for one: {}{}", threadName(notice.thread()),
                notice.write() ? "writes" : "reads", Long.toHexString(address), heap.space().regionAt(address).map(region -> "region " + region.range()).orElse("no region that is still there"), notice.reason(),
                refusals == MOST_REFUSALS ? ". Further ones are not told of" : "");
    }

    private void tell(Notice notice) {
        if (notice.kind() == Kind.REFUSED) {
            tellRefused(notice);
            return;
        }
        long address = heap.space().addressOf(notice.page());
        String toucher = notice.kind() == Kind.WAITS
                ? waiting.computeIfAbsent(notice.thread(), LongTouches::threadName)
                : Objects.requireNonNullElseGet(waiting.remove(notice.thread()), () -> threadName(notice.thread()));
        long waited = notice.nowNanos() - notice.startNanos();
        if (notice.kind() == Kind.WAITS) {
            heap.accounts().increment(Counter.LONG_WAITS);
        }
        if (notice.kind() != Kind.ENDED) {
            LOG.warn("thread '{}' {} the page at 0x{}, which kernel={} uses on device {}, and {} ms: {}",
                    toucher, notice.write() ? "writes" : "reads", Long.toHexString(address), notice.kernel(), notice.device(),
                    (notice.kind() == Kind.WAITS ? "waits for it since " : "has waited for it for ") + TimeUnit.NANOSECONDS.toMillis(waited),
                    notice.kind() == Kind.WAITS
                            ? "until it ends the JVM reaches no safepoint; await a launch before touching what it uses"
                            : "the touch is an InternalError now, the page stays where it is");
        }
        if (notice.kind() != Kind.WAITS && heap.timeline().wantsLongTouches()) {
            LongTouchEvent event = new LongTouchEvent();
            event.of(address, notice.write(), toucher, notice.kernel(), notice.device(), notice.kind() == Kind.GIVEN_UP, waited);
            heap.timeline().happened(event, notice.startNanos(), notice.nowNanos());
        }
    }

    /// As HotSpot has given it to the operating system, which keeps 15 bytes of it; that of the main thread is the program's.
    private static String threadName(long thread) {
        try {
            return Files.readString(Path.of("/proc/self/task/" + thread + "/comm")).strip();
        } catch (IOException _) {
            return "number " + thread; // it has ended
        }
    }

    /// While the native part is still there. Idempotent: whoever closes a heap may have to begin again.
    @Override
    public void close() {
        if (closed) {
            return;
        }
        notices.end();
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        notices.close();
        closed = true;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
