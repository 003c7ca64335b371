package io.github.hmm4j;

import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.pager.FaultingLaunchGate;
import io.github.hmm4j.pager.NativePager;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Publishes to native code what an eviction policy says of the pages that faulting kernels have brought to their devices, since nobody can ask it in the middle of a fault: who is to go first.
///
/// Before each launch, and every few milliseconds while one runs; in between, and where Java is stopped, the last answer holds, and behind it who came first goes first. There is one of these only
/// where the program has chosen a policy. Threads: any.
final class VictimOrder implements FaultingLaunchGate.Beginnings, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(VictimOrder.class);
    private static final long PERIOD_MILLIS = 2;
    private static final int SHARE = 4; // of the pages that are there, one in so many is named

    private final ManagedPages heap;
    private final NativePager pager;
    private final Eviction eviction;
    private final Thread thread;
    private final AtomicInteger starting = new AtomicInteger(); // launches that are not in flight yet
    private boolean following; // a kernel runs, or is about to
    private boolean closed;

    VictimOrder(ManagedPages heap, NativePager pager, Eviction eviction) {
        this.heap = heap;
        this.pager = pager;
        this.eviction = eviction;
        thread = Thread.ofPlatform().daemon().name("hmm4j-victims").start(this::follow);
    }

    @Override
    public void begins(DeviceMirror mirror) {
        synchronized (this) {
            publish(mirror);
            starting.incrementAndGet();
            following = true;
            notifyAll();
        }
    }

    /// Takes no lock: who follows may be asking a policy, and the launch is in flight by now.
    @Override
    public void hasBegun() {
        starting.decrementAndGet();
    }

    private synchronized void follow() {
        try {
            while (!closed) {
                if (following) {
                    nap(PERIOD_MILLIS);
                    look();
                } else {
                    wait();
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

    private void look() {
        try {
            boolean soon = starting.get() > 0; // before the look at those in flight, of which it is one next
            boolean any = heap.mirrors().stream().anyMatch(mirror -> !heap.inFlight().usedOn(mirror.index()).isEmpty());
            following = soon || any;
            if (any && !closed) {
                heap.mirrors().forEach(this::publish);
            }
        } catch (OutOfMemoryError _) {
            return; // these are hints
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
