package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Touches that wait long for a launch, as native code tells of them. One thread takes them; another may [#end] that.
public final class NativeNotices implements AutoCloseable {

    private static final long KERNEL_OFFSET = 7 * Long.BYTES;

    /// In the order of `enum hmm_notice_kind`.
    public enum Kind {
        /// It goes on waiting.
        WAITS,
        /// It was served, or has another reason to fail.
        ENDED,
        /// It became an error; the page is where it was.
        GIVEN_UP
    }

    private static final Kind[] KINDS = Kind.values();

    /// One of them.
    ///
    /// @param thread     of the operating system, that touched
    /// @param device     of the launch it waits for
    /// @param kernel     the same one's kernel, or as much of the name as native code keeps
    /// @param startNanos as of [System#nanoTime()]
    public record Notice(Kind kind, long page, boolean write, long thread, int device, String kernel, long startNanos, long nowNanos) {}

    private final long pager;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment notice = arena.allocate(JAVA_LONG, PagerCalls.NOTICE_WORDS);

    public NativeNotices(NativePager pager) {
        this.pager = pager.handle();
    }

    /// Waits for the next one, in native state: a safepoint passes by.
    ///
    /// @return nothing once the end has been asked for and all have been taken
    public Optional<Notice> next() {
        if (!PagerCalls.awaitNotice(pager, notice)) {
            return Optional.empty();
        }
        return Optional.of(new Notice(KINDS[(int) word(0)], word(1), word(2) != 0, word(3), (int) word(4), notice.getString(KERNEL_OFFSET), word(5), word(6)));
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
