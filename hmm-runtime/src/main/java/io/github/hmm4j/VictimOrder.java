package io.github.hmm4j;

import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.pager.NativePager;

/// Publishes to native code what an eviction policy says of the pages that faulting kernels have brought to their devices, since nobody can ask it in the middle of a fault: who is to go first.
///
/// Before each launch, and every few milliseconds while one runs; in between, and where Java is stopped, the last answer holds, and behind it who came first goes first. There is one of these only
/// where the program has chosen a policy. Threads: any.
final class VictimOrder implements AutoCloseable {

    private static final long PERIOD_MILLIS = 2;
    private static final int SHARE = 4; // of the pages that are there, one in so many is named

    private final ManagedPages heap;
    private final NativePager pager;
    private final Eviction eviction;
    private final Thread thread;
    private boolean running;
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
        running = true;
        notifyAll();
    }

    private synchronized void follow() {
        try {
            while (!closed) {
                wait(running ? PERIOD_MILLIS : 0);
                if (!closed && running) {
                    running = heap.mirrors().stream().anyMatch(mirror -> !heap.inFlight().usedOn(mirror.index()).isEmpty());
                    heap.mirrors().forEach(this::publish);
                }
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
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
