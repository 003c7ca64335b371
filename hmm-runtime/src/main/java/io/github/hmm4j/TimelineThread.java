package io.github.hmm4j;

import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.pager.NativePager;
import io.github.hmm4j.pager.NativeRecords;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.timeline.BatchEvent;
import io.github.hmm4j.timeline.FaultEvent;
import io.github.hmm4j.timeline.ResidencyEvent;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Recording;
import org.jspecify.annotations.Nullable;

/// Brings to a heap's timeline what does not report by itself: the records of native code, and from time to time how much lies where.
///
/// There is a thread only while a trace file or a recording wants something of this; that a recording starts or ends is told by the flight recorder itself. Threads: any; the
/// lock is held over a look at the records, and nobody who serves a fault takes it.
final class TimelineThread implements AutoCloseable {

    private static final long PERIOD_MILLIS = 5;

    /// Residency is looked at no more often than this, and for no more than a twentieth of the time.
    private static final long RESIDENCY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int RESIDENCY_SHARE = 20;

    private final ManagedPages heap;
    private final NativeRecords records;
    private final FlightRecorderListener onRecording = new FlightRecorderListener() {
        // Called at once if that was before; to ask for the periodic events ourselves would start the flight recorder for everybody, which takes a tenth of a second.
        @Override
        public void recorderInitialized(FlightRecorder recorder) {
            FlightRecorder.addPeriodicEvent(FaultEvent.class, atChunkEnd);
            FlightRecorder.addPeriodicEvent(BatchEvent.class, atChunkEndToo);
            if (ending) { // and may not have seen them
                removePeriodicEvents();
            }
        }

        @Override
        public void recordingStateChanged(Recording recording) {
            adapt();
        }
    };
    /// The flight recorder calls these before it ends a recording; two, since each kind of event takes one of its own.
    private final Runnable atChunkEnd = this::lookAtRecords;
    private final Runnable atChunkEndToo = this::lookAtRecords;
    private long[] told = {};
    private long nextResidency;
    private volatile boolean ending;
    private boolean closed;
    private @Nullable Thread thread;

    TimelineThread(ManagedPages heap, NativePager pager) {
        this.heap = heap;
        records = new NativeRecords(pager, heap);
        try {
            if (FlightRecorder.isAvailable()) {
                FlightRecorder.addListener(onRecording);
            }
            adapt();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /// Starts or stops keeping records, as they are wanted now. When a recording has started, this has been called.
    private synchronized void adapt() {
        if (closed) {
            return;
        }
        boolean wanted = heap.timeline().wantsServed();
        records.keep(wanted);
        if (!wanted) {
            records.drain(); // or the next recording would get them
        }
        if (isWanted() && thread == null) {
            thread = Thread.ofPlatform().daemon().name("hmm4j timeline").start(this::run);
        }
        notifyAll();
    }

    private boolean isWanted() {
        return heap.timeline().isTraced() || heap.timeline().wantsServed() || heap.timeline().wantsResidency();
    }

    private synchronized void run() {
        try {
            while (!closed && isWanted()) {
                look(System.nanoTime() >= nextResidency);
                wait(PERIOD_MILLIS);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // nobody does that
        } finally {
            thread = null;
        }
    }

    private void lookAtRecords() {
        look(false);
    }

    /// Tells of everything so far.
    private synchronized void look(boolean residency) {
        if (closed) {
            return;
        }
        records.drain();
        if (residency) {
            long began = System.nanoTime();
            tellResidency();
            long took = System.nanoTime() - began;
            nextResidency = began + Math.max(RESIDENCY_NANOS, took * RESIDENCY_SHARE);
        }
    }

    /// One event for each place whose numbers have changed.
    private void tellResidency() {
        long[] now = residency();
        long at = System.nanoTime();
        for (int place = 0; place < now.length / 2; place++) {
            if (told.length == 0 || told[2 * place] != now[2 * place] || told[2 * place + 1] != now[2 * place + 1]) {
                ResidencyEvent event = new ResidencyEvent();
                event.of(place - 1, place == 0 ? "host" : heap.mirror(place - 1).deviceName(), now[2 * place], now[2 * place + 1]);
                heap.timeline().happened(event, at, at);
            }
        }
        told = now;
    }

    /// Valid bytes and bytes that are valid nowhere else: of the host, then of each device.
    private long[] residency() {
        long[] counts = new long[2 * (1 + heap.mirrors().size())];
        PageTable table = heap.table();
        for (Region region : heap.space().regions()) {
            PageRange pages = heap.space().pagesOf(region.range());
            for (long page = table.writtenFrom(pages.first(), pages.end()); page < pages.end(); page = table.writtenFrom(page + 1, pages.end())) {
                count(table.word(page), counts);
            }
        }
        int shift = heap.space().pageSize().shift();
        return Arrays.stream(counts).map(pages -> pages << shift).toArray();
    }

    private static void count(long word, long[] counts) {
        int validAt = PageWord.validAt(word);
        boolean isOnly = Integer.bitCount(validAt) == 1;
        for (int rest = validAt; rest != 0; rest &= rest - 1) {
            int place = Integer.numberOfTrailingZeros(rest);
            counts[2 * place]++;
            counts[2 * place + 1] += isOnly ? 1 : 0;
        }
    }

    /// Tells of all there is, and ends. The native part must still be there. Idempotent.
    @Override
    public void close() {
        if (FlightRecorder.isAvailable()) {
            ending = true;
            FlightRecorder.removeListener(onRecording); // not under the lock: the flight recorder calls us under its own
            removePeriodicEvents();
        }
        synchronized (this) {
            if (closed) {
                return;
            }
            look(isWanted());
            closed = true;
            records.close();
            notifyAll();
        }
    }

    private void removePeriodicEvents() {
        FlightRecorder.removePeriodicEvent(atChunkEnd);
        FlightRecorder.removePeriodicEvent(atChunkEndToo);
    }
}
