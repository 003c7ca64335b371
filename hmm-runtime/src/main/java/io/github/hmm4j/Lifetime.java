package io.github.hmm4j;

import io.github.hmm4j.mirror.ProgramCode;
import io.github.hmm4j.space.ShareLock;
import java.util.concurrent.atomic.AtomicBoolean;

/// Keeps native memory alive while somebody uses it: every call on a heap happens within its lifetime, and closing waits for the calls under way.
final class Lifetime {

    /// Ends with `close`.
    @FunctionalInterface
    interface Hold extends AutoCloseable {
        @Override
        void close();
    }

    private final ProgramCode programCode;
    private final ShareLock calls = new ShareLock();
    private final Hold hold = calls::unshare;
    private final AtomicBoolean ended = new AtomicBoolean();

    Lifetime(ProgramCode programCode) {
        this.programCode = programCode;
    }

    /// For a call that changes the heap, moves pages, or waits for those who do.
    ///
    /// @param call its name, for people
    /// @throws IllegalStateException after the end; within code of the program's own that this heap has called
    Hold change(String call) {
        programCode.refuse(call);
        return use();
    }

    /// For a call that only looks.
    ///
    /// @throws IllegalStateException after the end
    Hold use() {
        if (ended.get()) { // not behind somebody who waits for calls under way, which may wait for this thread
            throw closed();
        }
        calls.share();
        if (ended.get()) { // looked at once: who is refused shares nothing, or the end would wait for ever
            calls.unshare();
            throw closed();
        }
        return hold;
    }

    private static IllegalStateException closed() {
        return new IllegalStateException("the heap is closed");
    }

    /// Waits for calls under way and refuses new ones. Idempotent.
    ///
    /// @param hurry runs when no call begins any more: what those under way wait for need not come
    /// @throws IllegalStateException within a call, for which it would wait for ever
    void end(Runnable hurry) {
        if (calls.isSharedByMe()) {
            throw new IllegalStateException("the heap cannot be closed within one of its own calls, such as a callback");
        }
        ended.set(true);
        hurry.run();
        calls.takeAlone();
        calls.leave();
    }
}
