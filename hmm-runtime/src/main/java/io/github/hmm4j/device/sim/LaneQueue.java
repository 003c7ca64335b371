package io.github.hmm4j.device.sim;

import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.timeline.CommandEvent;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One lane: a queue, the thread that works it off in order, and the gate a test can shut.
///
/// The lock is a leaf: nothing is called while it is held.
final class LaneQueue {

    /// Work that says how it ended: null is well. What it throws is a bug of the simulator.
    interface Work {
        @Nullable HmmException run();
    }

    /// What a piece of work is, for those who want to hear of its end.
    record Task(CommandEvent.Kind kind, String name, long bytes) {}

    private record Item(Work work, SimCompletion completion, Task task, @Nullable CommandLog log, long queuedNanos) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Queue<Item> queue = new ArrayDeque<>();
    private final String name;
    private long submitted;
    private long started;
    private long completed;
    private long permitted;      // while paused: this many may have been started
    private boolean paused;
    private boolean closed;
    private @Nullable Thread thread;
    private volatile @Nullable CommandLog log;

    LaneQueue(String name) {
        this.name = name;
    }

    void reportTo(CommandLog reportTo) {
        log = reportTo;
    }

    SimCompletion submit(Task task, Work work) {
        CommandLog toTell = log;
        long number = toTell == null ? 0 : toTell.next();
        SimCompletion completion = new SimCompletion(number);
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("lane=" + name + " is closed");
            }
            if (thread == null) {
                thread = Thread.ofPlatform().daemon().name(name).start(this::work);
            }
            queue.add(new Item(work, completion, task, number == 0 ? null : toTell, System.nanoTime()));
            submitted++;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        return completion;
    }

    private void work() {
        while (true) {
            Item item = next();
            if (item == null) {
                return;
            }
            long start = System.nanoTime();
            HmmException failure = item.work().run();
            long end = System.nanoTime();
            if (item.log() != null && failure == null) {
                item.log().ended(item.completion().command(), item.task(), item.queuedNanos(), start, end);
            }
            lock.lock();
            try {
                completed++;
                item.completion().end(failure, end - start);
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private @Nullable Item next() {
        lock.lock();
        try {
            while (queue.isEmpty() ? !closed : paused && started >= permitted) {
                changed.awaitUninterruptibly();
            }
            Item item = queue.poll();
            if (item != null) {
                started++;
            }
            return item;
        } finally {
            lock.unlock();
        }
    }

    void pause() {
        lock.lock();
        try {
            paused = true;
            permitted = started;
        } finally {
            lock.unlock();
        }
    }

    void resume() {
        lock.lock();
        try {
            paused = false;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Lets one piece of work through the shut gate and waits for its end, or for work to arrive first.
    void step() {
        lock.lock();
        try {
            if (!paused) {
                throw new IllegalStateException("lane=" + name + " is not paused");
            }
            permitted = Math.max(permitted, started) + 1;
            long target = permitted;
            changed.signalAll();
            while (completed < target) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    long submitted() {
        lock.lock();
        try {
            return submitted;
        } finally {
            lock.unlock();
        }
    }

    long completed() {
        lock.lock();
        try {
            return completed;
        } finally {
            lock.unlock();
        }
    }

    void awaitSubmitted(long count) {
        lock.lock();
        try {
            while (submitted < count) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Waits for the end of all that was submitted before.
    void drain() {
        lock.lock();
        try {
            long target = submitted;
            while (completed < target) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Opens the gate, lets everything end, stops the thread. Idempotent.
    void close() {
        lock.lock();
        try {
            closed = true;
            paused = false;
            changed.signalAll();
            while (completed < submitted) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }
}
