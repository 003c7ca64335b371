package io.github.hmm4j.timeline;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// A file in the Trace Event Format, which `ui.perfetto.dev` and `chrome://tracing` show: tracks of threads and devices, and how much lay where.
///
/// Several heaps may share one; each is a process of the trace ([#part]). What happens goes through a bounded queue to a thread that writes, so reporting never waits for the disk;
/// what finds the queue full is lost, counted, and named at the end of the file. The file is a JSON array once it is closed; readers of the format also take one that a
/// crash has cut off.
///
/// Owns the file and a thread. Threads: any. To be closed after the heaps.
public final class TraceFile implements AutoCloseable {

    private static final int CAPACITY = 1 << 16;
    private static final long IDLE_MILLIS = 100;

    private record Entry(Part part, TimelineEvent event) {}

    private final Path file;
    private final BlockingQueue<Entry> queue;
    private final TraceWriter out;
    private final Thread writer;
    private final AtomicInteger parts = new AtomicInteger();
    private final AtomicLong lost = new AtomicLong();
    private volatile boolean closing;
    private volatile @Nullable IOException failure;

    private TraceFile(Path file, int capacity) throws IOException {
        this.file = Objects.requireNonNull(file, "file");
        queue = new ArrayBlockingQueue<>(capacity);
        out = new TraceWriter(Files.newBufferedWriter(file, StandardCharsets.US_ASCII), System.nanoTime());
        writer = Thread.ofPlatform().daemon().name("hmm4j trace file").unstarted(this::write);
    }

    /// Makes or overwrites a file.
    public static TraceFile create(Path file) throws IOException {
        TraceFile trace = new TraceFile(file, CAPACITY);
        trace.writer.start();
        return trace;
    }

    /// For tests: without its thread nothing leaves the queue before [#close].
    static TraceFile stalled(Path file, int capacity) throws IOException {
        return new TraceFile(file, capacity);
    }

    /// One heap in the file.
    public final class Part {

        private final int number = parts.incrementAndGet();

        /// Its number in the trace, from 1.
        public int number() {
            return number;
        }

        /// False if it is lost.
        boolean offer(TimelineEvent event) {
            if (!closing && failure == null && queue.offer(new Entry(this, event))) {
                return true;
            }
            lost.incrementAndGet();
            return false;
        }

        void lost(long count) {
            lost.addAndGet(count);
        }
    }

    public Part part() {
        return new Part();
    }

    /// Happenings that are not in the file, for want of room here or in native code.
    public long lost() {
        return lost.get();
    }

    private void write() {
        try {
            boolean flushed = true;
            while (true) {
                boolean last = closing; // before the look at the queue
                Entry entry = last ? queue.poll() : queue.poll(flushed ? IDLE_MILLIS : 0, TimeUnit.MILLISECONDS);
                if (entry != null) {
                    write(entry);
                    flushed = false;
                } else if (last) {
                    return;
                } else if (!flushed) {
                    flushed = true;
                    flush();
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // nobody does that; close writes the rest
        }
    }

    private void write(Entry entry) {
        if (failure != null) {
            lost.incrementAndGet();
            return;
        }
        try {
            out.write(entry.part().number(), entry.event());
        } catch (IOException e) {
            failure = e;
            lost.incrementAndGet();
        }
    }

    /// So that a program that dies leaves what happened until shortly before.
    private void flush() {
        try {
            out.flush();
        } catch (IOException e) {
            failure = e;
        }
    }

    /// Writes what is left and ends the array. Idempotent.
    ///
    /// @throws UncheckedIOException if the file could not be written
    @Override
    public void close() {
        if (closing) {
            return;
        }
        closing = true;
        boolean interrupted = false;
        while (writer.isAlive()) {
            try {
                writer.join();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        write(); // what nobody has written
        try {
            out.close(lost());
        } catch (IOException e) {
            failure = failure == null ? e : failure;
        }
        IOException e = failure;
        if (e != null) {
            throw new UncheckedIOException("trace file=" + file + " is not complete", e);
        }
    }
}
