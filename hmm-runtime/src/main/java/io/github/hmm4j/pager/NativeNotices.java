package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.mirror.ManagedPages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Touches that wait long for a launch, or are refused, as native code tells of them. One thread takes them; another
/// may [#end] that.
public final class NativeNotices implements AutoCloseable {

    private static final long FAILURE_OFFSET = 7 * Long.BYTES;
    private static final long KERNEL_OFFSET = FAILURE_OFFSET + PagerCalls.FAILURE_WORDS * Long.BYTES;

    /// In the order of `enum hmm_notice_kind`.
    public enum Kind {
        /// It goes on waiting.
        WAITS,
        /// It was served, or has another reason to fail.
        ENDED,
        /// It became an error; the page is where it was.
        GIVEN_UP,
        /// It becomes an error for another reason, or gives up so soon that nothing was told of its wait.
        REFUSED
    }

    private static final Kind[] KINDS = Kind.values();

    /// One of them.
    ///
    /// @param thread     of the operating system, that touched
    /// @param device     of the launch it waits for
    /// @param kernel     the same one's kernel, or as much of the name as native code keeps
    /// @param startNanos as of [System#nanoTime()]
    /// @param reason     why it was refused, for people; else empty
    public record Notice(Kind kind, long page, boolean write, long thread, int device, String kernel, long startNanos, long nowNanos, String reason) {}

    private final ManagedPages heap;
    private final long pager;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment notice = arena.allocate(JAVA_LONG, PagerCalls.NOTICE_WORDS);

    public NativeNotices(ManagedPages heap, NativePager pager) {
        this.heap = heap;
        this.pager = pager.handle();
    }

    /// Waits for the next one, in native state: a safepoint passes by.
    ///
    /// @return nothing once the end has been asked for and all have been taken
    public Optional<Notice> next() {
        if (!PagerCalls.awaitNotice(pager, notice)) {
            return Optional.empty();
        }
        Kind kind = KINDS[(int) word(0)];
        return Optional.of(new Notice(kind, word(1), word(2) != 0, word(3), (int) word(4), notice.getString(KERNEL_OFFSET), word(5), word(6), kind == Kind.REFUSED ? reason() : ""));
    }

    private String reason() {
        MemorySegment failure = notice.asSlice(FAILURE_OFFSET, PagerCalls.FAILURE_WORDS * (long) Long.BYTES);
        return failure.get(JAVA_LONG, 0) == 0
                ? "a kernel uses the page for longer than a touch may wait (touchTimeout)"
                : String.valueOf(NativeFailure.of(heap, failure, word(2) != 0, "the touch").getMessage());
    }

    private long word(int index) {
        return notice.getAtIndex(JAVA_LONG, index);
    }

    /// Lets the one go who waits.
    public void end() {
        PagerCalls.endNotices(pager);
    }

    /// When nobody waits any more.
    @Override
    public void close() {
        arena.close();
    }
}
