package io.github.hmm4j;

import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.pager.NativePager;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Publishes to native code what an eviction policy says of the pages that faulting kernels have brought to their devices, since nobody can ask it in the middle of a fault: who is to go first.
///
/// Before each launch, and every few milliseconds while one runs; in between, and where Java is stopped, the last answer holds, and behind it who came first goes first. There is one of these only
/// where the program has chosen a policy. Threads: any.
final class VictimOrder implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(VictimOrder.class);
    private static final long PERIOD_MILLIS = 2;
    private static final int LOOKS = 50;
    private static final int SHARE = 4; // of the pages that are there, one in so many is named

    private final ManagedPages heap;
    private final NativePager pager;
    private final Eviction eviction;
    private final Thread thread;
    private int looksLeft; // until nobody looks any more, unless a kernel runs
    private boolean closed;

    VictimOrder(ManagedPages heap, NativePager pager, Eviction eviction) {
        this.heap = heap;
        this.pager = pager;
        this.eviction = eviction;
        thread = Thread.ofPlatform().daemon().name("hmm4j-victims").start(this::follow);
    }

    /// A kernel of a device is about to start.
    synchronized void launching(DeviceMirror mirror) {
        publish(mirror);
        looksLeft = LOOKS;
        notifyAll();
    }

    private synchronized void follow() {
        try {
            while (!closed) {
                if (looksLeft == 0) {
                    wait();
                } else {
                    nap(PERIOD_MILLIS);
                    look();
                }
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    /// All of it, whoever else is about to launch.
    private void nap(long millis) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (long left = until - System.nanoTime(); left > 0 && !closed; left = until - System.nanoTime()) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }

    /// A kernel that is about to start is not in flight yet, so there are some looks in vain before nobody looks any more.
    private void look() {
        try {
            boolean any = heap.mirrors().stream().anyMatch(mirror -> !heap.inFlight().usedOn(mirror.index()).isEmpty());
            looksLeft = any ? LOOKS : looksLeft - 1;
            if (any && !closed) {
                heap.mirrors().forEach(this::publish);
            }
        } catch (OutOfMemoryError _) {
            looksLeft--; // these are hints
        } catch (Error e) { // of a policy
            LOG.warn("an eviction policy failed; it is asked again", e);
        }
    }

    private void publish(DeviceMirror mirror) {
        try {
            long[] there = pager.there(mirror);
            if (there.length >= SHARE) {
                pager.goFirst(mirror, eviction.victims(mirror, there, there.length / SHARE));
            }
        } catch (OutOfMemoryError _) {
            return; // these are hints
        }
    }

    @Override
    public void close() {
        if (thread.equals(Thread.currentThread())) {
            throw new IllegalStateException("an eviction policy cannot close the heap that asks it");
        }
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
