package io.github.hmm4j.timeline;

import java.io.IOException;
import java.io.Writer;
import java.util.HashSet;
import java.util.Set;

/// Writes happenings as trace events: which track each is on, as what shape, under which name. Used by one thread at a time.
///
/// | happening | track | shape |
/// | --- | --- | --- |
/// | launch, replay, migration, eviction, view | the Java thread that did it | slice; a replay without a wait is an instant |
/// | fault | the native thread that served it | slice, with its steps inside |
/// | batch, long touch | of its own, since several overlap | asynchronous slice, a batch with its steps inside |
/// | command | its device's kernels, copies to it, copies from it, or fills | slice; an arrow leads from the launch to its kernel |
/// | residency | one for each place | counter |
final class TraceWriter {

    private static final long CREW = 1_000_000_000L; // beyond all numbers of Java threads
    private static final long DEVICES = 2_000_000_000L;
    private static final int LANES = 4;

    private final Writer out;
    private final long zeroNanos;
    private final TraceLine line = new TraceLine();
    private final Set<Long> named = new HashSet<>();
    private long batches;
    private boolean first = true;

    TraceWriter(Writer out, long zeroNanos) throws IOException {
        this.out = out;
        this.zeroNanos = zeroNanos;
        out.write("[");
    }

    void write(int part, TimelineEvent event) throws IOException {
        if (named.add((long) part)) {
            nameTrack("process_name", part, 0, "hmm4j heap " + part);
        }
        switch (event) {
            case LaunchEvent launch -> {
                slice(part, javaThread(part, event), "launch " + launch.kernel, "launch", event);
                if (launch.command > 0) {
                    arrow("s", part, javaThread(part, event), launch.device, launch.command, event.beganNanos()); // the kernel may begin before the launch has returned
                }
            }
            case ReplayEvent replay when replay.reason.equals("PAGE_LOST") ->
                put(begin("i", "replay", "launch", part, javaThread(part, event), event.endedNanos()).text("s", "t").arguments(event));
            case ReplayEvent _ -> slice(part, javaThread(part, event), "wait for view", "launch", event);
            case MigrationEvent migration -> {
                String way = migration.direction.equals("TO_DEVICE") ? "move to device: " : "bring home: ";
                slice(part, javaThread(part, event), way + migration.cause, "migration", event);
            }
            case EvictionEvent _ -> slice(part, javaThread(part, event), "evict", "eviction", event);
            case FetchEvent fetch -> slice(part, javaThread(part, event), fetch.kind.equals("PIN") ? "pin" : "view", "view", event);
            case FaultEvent fault -> fault(part, fault);
            case BatchEvent batch -> batch(part, batch);
            case LongTouchEvent touch -> longTouch(part, touch);
            case CommandEvent command -> command(part, command);
            case ResidencyEvent residency -> put(begin("C", "bytes on " + residency.place + (residency.device < 0 ? "" : " (device " + residency.device + ")"),
                    "residency", part, 0, event.endedNanos()).counters(residency.onlyBytes, residency.validBytes - residency.onlyBytes));
        }
    }

    private void fault(int part, FaultEvent fault) throws IOException {
        long track = CREW + fault.nativeThread;
        nameOnce(part, track, "fault service, thread " + fault.nativeThread);
        slice(part, track, fault.ahead ? "ahead" : fault.write ? "fault (write)" : "fault (read)", "fault", fault);
        long at = fault.startNanos;
        at = step(part, track, "claim", at, fault.claimNanos);
        at = step(part, track, "wait", at, fault.waitNanos);
        at = step(part, track, "copy", at, fault.copyNanos);
        step(part, track, "map", at, fault.mapNanos);
    }

    private long step(int part, long track, String name, long at, long nanos) throws IOException {
        if (nanos > 0) {
            put(begin("X", name, "fault", part, track, at).micros("dur", nanos));
        }
        return at + nanos;
    }

    private void batch(int part, BatchEvent batch) throws IOException {
        batches++;
        String name = batch.toDevice ? "insist" : "native fetch";
        long at = batch.startNanos;
        put(beginAsync("b", name, part, at).arguments(batch));
        at = asyncStep(part, "claim", at, batch.claimNanos);
        at = asyncStep(part, "wait", at, batch.waitNanos);
        at = asyncStep(part, "copy", at, batch.copyNanos);
        asyncStep(part, "map", at, batch.mapNanos);
        put(beginAsync("e", name, part, batch.startNanos + batch.totalNanos));
    }

    private void longTouch(int part, LongTouchEvent touch) throws IOException {
        batches++;
        String name = "touch waits for " + touch.kernel;
        put(beginAsync("b", name, part, touch.beganNanos()).arguments(touch));
        put(beginAsync("e", name, part, touch.endedNanos()));
    }

    private long asyncStep(int part, String name, long at, long nanos) throws IOException {
        if (nanos > 0) {
            put(beginAsync("b", name, part, at));
            put(beginAsync("e", name, part, at + nanos));
        }
        return at + nanos;
    }

    private TraceLine beginAsync(String phase, String name, int part, long at) {
        return begin(phase, name, "native", part, 0, at).text("id", part + "." + batches);
    }

    private void command(int part, CommandEvent command) throws IOException {
        int lane = switch (CommandEvent.Kind.valueOf(command.kind)) {
            case KERNEL -> 0;
            case COPY_TO_DEVICE -> 1;
            case COPY_TO_HOST -> 2;
            case ZERO -> 3;
        };
        long track = DEVICES + (long) command.device * LANES + lane;
        String of = new String[] {"kernels", "DMA to device", "DMA to host", "DMA within"}[lane];
        nameOnce(part, track, "device " + command.device + ": " + of);
        slice(part, track, command.what, "device", command);
        if (lane == 0) {
            arrow("f", part, track, command.device, command.command, command.startNanos);
        }
    }

    /// From a launch to its kernel; it ends at the slice that begins there.
    private void arrow(String phase, int part, long track, int device, long command, long at) throws IOException {
        TraceLine arrow = begin(phase, "enqueue", "launch", part, track, at).text("id", part + "." + device + "." + command);
        put(phase.equals("f") ? arrow.text("bp", "e") : arrow);
    }

    private void slice(int part, long track, String name, String category, TimelineEvent event) throws IOException {
        put(begin("X", name, category, part, track, event.beganNanos()).micros("dur", event.endedNanos() - event.beganNanos()).arguments(event));
    }

    private long javaThread(int part, TimelineEvent event) throws IOException {
        Thread thread = event.by();
        long track = thread == null ? 0 : thread.threadId();
        nameOnce(part, track, thread == null ? "nobody" : "Java: " + thread.getName());
        return track;
    }

    private void nameOnce(int part, long track, String name) throws IOException {
        if (named.add((long) part << 40 | track)) {
            nameTrack("thread_name", part, track, name);
            put(begin("M", "thread_sort_index", "", part, track, zeroNanos).argument("sort_index", track));
        }
    }

    private void nameTrack(String what, int part, long track, String name) throws IOException {
        put(begin("M", what, "", part, track, zeroNanos).argument("name", name));
    }

    private TraceLine begin(String phase, String name, String category, int part, long track, long at) {
        return line.begin(phase, name, category).micros("ts", at - zeroNanos).number("pid", part).number("tid", track);
    }

    private void put(TraceLine full) throws IOException {
        out.write(first ? "\n" : ",\n");
        first = false;
        full.writeTo(out);
    }

    void flush() throws IOException {
        out.flush();
    }

    void close(long lost) throws IOException {
        try (out) {
            if (lost > 0) {
                put(begin("i", "lost " + lost + " happenings", "lost", 1, 0, System.nanoTime()).text("s", "g").argument("lost", lost));
            }
            out.write("\n]\n");
        }
    }
}
