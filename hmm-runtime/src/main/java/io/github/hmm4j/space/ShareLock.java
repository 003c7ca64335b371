package io.github.hmm4j.space;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A lock that many threads share or one has alone. Once it is there it takes nothing from the Java heap: who takes it has it, or has nothing, and giving it back cannot fail.
/// (`ReentrantReadWriteLock` counts a reader first and makes the reader's own counter then; if the heap is full in between, nobody ever gets the lock alone again.)
///
/// Who has it alone may **open** it for a while: others share it meanwhile, and nobody else has it alone.
///
/// Threads: any. A thread may take it several times, and may share what it has alone; it gives back what it took. Who waits to have it alone keeps others from sharing, but not those
/// who share it already, nor those who share what is open. An interrupt is kept for later.
public final class ShareLock {

    private static final int FIRST_ROOM = 16;

    private Thread[] sharers = new Thread[FIRST_ROOM]; // each as often as it shares
    private int sharing;
    private int waitingAlone;
    private @Nullable Thread alone;
    private int aloneHolds;
    private int openings;

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
        return alone != null ? openings == 0 && !me.equals(alone) && !isSharedBy(me) : waitingAlone > 0 && !isSharedBy(me);
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
        if (wasFull || (sharing == 0 && (waitingAlone > 0 || alone != null))) {
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
            waitingAlone++;
            awaitNobody();
            waitingAlone--;
            alone = me;
        }
        aloneHolds++;
    }

    /// Until nobody shares it, and no other thread has it alone.
    private void awaitNobody() {
        Thread me = Thread.currentThread();
        boolean interrupted = false;
        while (sharing > 0 || (alone != null && !me.equals(alone))) {
            try {
                wait();
            } catch (InterruptedException | OutOfMemoryError e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            me.interrupt();
        }
    }

    /// Gives one [#takeAlone] back.
    public synchronized void leave() {
        requireAlone();
        aloneHolds--;
        if (aloneHolds == 0) {
            alone = null;
            notifyAll();
        }
    }

    /// Lets others share what this thread has alone, until it calls [#shut] as often.
    public synchronized void open() {
        requireAlone();
        openings++;
        notifyAll();
    }

    /// Takes one [#open] back; if it was the last, waits until nobody shares any more. This thread shares nothing.
    public synchronized void shut() {
        requireAlone();
        openings--;
        if (openings == 0) {
            awaitNobody();
        }
    }

    /// Has it open for as long as something takes.
    public void openFor(Runnable part) {
        open();
        try {
            part.run();
        } finally {
            shut();
        }
    }

    private void requireAlone() {
        if (!isAlone()) {
            throw new IllegalMonitorStateException("this thread does not have it alone");
        }
    }

    /// Whether the calling thread has it alone, open or not.
    public synchronized boolean isAlone() {
        return Thread.currentThread().equals(alone);
    }

    /// Whether the calling thread has it alone, and has not opened it.
    public synchronized boolean isShut() {
        return isAlone() && openings == 0;
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
