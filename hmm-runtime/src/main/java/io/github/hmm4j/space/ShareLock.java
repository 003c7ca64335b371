package io.github.hmm4j.space;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A lock that many threads share or one has alone. Once it is there it takes nothing from the Java heap: who takes it has it, or has nothing, and giving it back cannot fail.
/// (`ReentrantReadWriteLock` counts a reader first and makes the reader's own counter then; if the heap is full in between, nobody ever gets the lock alone again.)
///
/// Threads: any. A thread may take it several times, and may share what it has alone; it gives back what it took. Who waits to have it alone keeps others from sharing, but not those
/// who share it already. An interrupt is kept for later.
public final class ShareLock {

    private static final int FIRST_ROOM = 16;

    private Thread[] sharers = new Thread[FIRST_ROOM]; // each as often as it shares
    private int sharing;
    private int waitingAlone;
    private @Nullable Thread alone;
    private int aloneHolds;

    /// Takes it together with others.
    public synchronized void share() {
        Thread me = Thread.currentThread();
        boolean interrupted = false;
        while (mustWait(me) || !hasRoom()) {
            try {
                wait();
            } catch (InterruptedException | OutOfMemoryError e) { // the other error: there was no memory for the first
                interrupted = true;
            }
        }
        sharers[sharing++] = me;
        if (interrupted) {
            me.interrupt();
        }
    }

    private boolean mustWait(Thread me) {
        return alone != null ? !me.equals(alone) : waitingAlone > 0 && !isSharedBy(me);
    }

    /// Whether one more can share; where the heap has no memory for a longer list, somebody who leaves makes room.
    private boolean hasRoom() {
        if (sharing == sharers.length) {
            try {
                sharers = Arrays.copyOf(sharers, 2 * sharing);
            } catch (OutOfMemoryError e) {
                return false;
            }
        }
        return true;
    }

    /// Gives one [#share] back.
    public synchronized void unshare() {
        Thread me = Thread.currentThread();
        int at = sharing - 1;
        while (at >= 0 && !me.equals(sharers[at])) {
            at--;
        }
        if (at < 0) {
            throw new IllegalMonitorStateException("this thread shares nothing");
        }
        boolean wasFull = sharing == sharers.length;
        sharing--;
        sharers[at] = sharers[sharing];
        sharers[sharing] = null;
        if (wasFull || (sharing == 0 && waitingAlone > 0)) {
            notifyAll();
        }
    }

    /// Takes it alone.
    ///
    /// @throws IllegalStateException if this thread shares it, for which it would wait for ever
    public synchronized void takeAlone() {
        Thread me = Thread.currentThread();
        if (!me.equals(alone)) {
            if (isSharedBy(me)) {
                throw new IllegalStateException("a lock that is shared cannot be taken alone");
            }
            boolean interrupted = false;
            waitingAlone++;
            while (alone != null || sharing > 0) {
                try {
                    wait();
                } catch (InterruptedException | OutOfMemoryError e) {
                    interrupted = true;
                }
            }
            waitingAlone--;
            alone = me;
            if (interrupted) {
                me.interrupt();
            }
        }
        aloneHolds++;
    }

    /// Gives one [#takeAlone] back.
    public synchronized void leave() {
        if (!Thread.currentThread().equals(alone)) {
            throw new IllegalMonitorStateException("this thread does not have it alone");
        }
        aloneHolds--;
        if (aloneHolds == 0) {
            alone = null;
            notifyAll();
        }
    }

    /// Whether the calling thread shares it.
    public synchronized boolean isSharedByMe() {
        return isSharedBy(Thread.currentThread());
    }

    private boolean isSharedBy(Thread thread) {
        for (int i = 0; i < sharing; i++) {
            if (thread.equals(sharers[i])) {
                return true;
            }
        }
        return false;
    }
}
