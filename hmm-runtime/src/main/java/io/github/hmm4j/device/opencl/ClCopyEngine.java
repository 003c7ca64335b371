package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.timeline.CommandEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// What both engines share: checking and joining of runs, fills, and copies within the device.
abstract sealed class ClCopyEngine extends Owned implements CopyEngine permits DirectCopyEngine, StagedCopyEngine {

    private static final int LARGEST_PATTERN_BYTES = 128;

    final ClApi api;
    final ClQueue queue;
    final long hostAddressBytes;
    final long hostLengthBytes;

    ClCopyEngine(ClDevice device, long hostAddressBytes, long hostLengthBytes) {
        super(device);
        this.api = device.api();
        this.queue = device.copy();
        this.hostAddressBytes = hostAddressBytes;
        this.hostLengthBytes = hostLengthBytes;
    }

    static ClCopyEngine create(CopyMode mode, ClDevice device, long hostAddressBytes, long lengthBytes) {
        return switch (mode) {
            case DIRECT -> new DirectCopyEngine(device, hostAddressBytes, lengthBytes);
            case STAGED, COPY -> new StagedCopyEngine(mode, device, hostAddressBytes, lengthBytes);
            case AUTO -> throw new IllegalArgumentException("copy=auto, must be decided first");
        };
    }

    @Override
    public Completion zero(DeviceMemory memory, long offsetBytes, long lengthBytes) {
        ClMemory target = ours(memory);
        target.requireInside(offsetBytes, lengthBytes);
        int pattern = (int) Math.min(LARGEST_PATTERN_BYTES, Long.lowestOneBit(offsetBytes | lengthBytes));
        synchronized (this) {
            requireOpen();
            keepOrder();
            long mark = queue.mark();
            Supplier<String> detail = detail(lengthBytes);
            long event = named(detail, () -> api.enqueueZero(queue.handle(), target.handle(), pattern, offsetBytes, lengthBytes, true));
            return queue.submit(event, "clEnqueueFillBuffer", detail, mark,
                    CommandEvent.Kind.ZERO, "clEnqueueFillBuffer", lengthBytes);
        }
    }

    /// Made before its command is enqueued: what fails in between leaves a command that nobody knows.
    private Supplier<String> detail(long lengthBytes) {
        return () -> "bytes=" + lengthBytes + ", device=" + device;
    }

    private long named(Supplier<String> detail, LongSupplier enqueue) {
        try {
            return enqueue.getAsLong();
        } catch (HmmException e) {
            throw device.named(ClStatus.retold(e, detail.get()));
        }
    }

    /// @throws IllegalStateException if this engine is closed
    final void requireOpen() {
        if (isClosed()) {
            throw new IllegalStateException("copy engine is closed, device=" + device);
        }
    }

    /// Sees to it that what the queue gets next comes after all that was submitted to the device before.
    void keepOrder() {
        // there is one queue
    }

    /// Checks every run before anything is enqueued, and joins neighbours that are contiguous on both sides.
    final List<CopyRun> checkedAndJoined(List<CopyRun> batch) {
        var runs = new ArrayList<CopyRun>(batch.size());
        for (CopyRun run : batch) {
            check(run);
            CopyRun last = runs.isEmpty() ? null : runs.getLast();
            if (last != null && continues(last, run)) {
                long joined = last.lengthBytes() + run.lengthBytes();
                runs.set(runs.size() - 1,
                        new CopyRun(last.hostAddressBytes(), last.memory(), last.offsetBytes(), joined));
            } else {
                runs.add(run);
            }
        }
        return runs;
    }

    final ClMemory ours(DeviceMemory memory) {
        if (!(memory instanceof ClMemory ours) || ours.device() != device) {
            throw new IllegalArgumentException("memory=" + memory + ", must be memory of " + device);
        }
        return ours;
    }

    private void check(CopyRun run) {
        ClMemory memory = ours(run.memory());
        if (memory.isSlice()) {
            throw new IllegalArgumentException("memory=" + memory + ", must be a whole allocation");
        }
        memory.requireInside(run.offsetBytes(), run.lengthBytes());
        long hostOffset = run.hostAddressBytes() - hostAddressBytes;
        if (hostOffset < 0 || run.lengthBytes() > hostLengthBytes - hostOffset) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "hostAddressBytes=0x%x, lengthBytes=%d, must lie in the %d bytes at 0x%x",
                    run.hostAddressBytes(), run.lengthBytes(), hostLengthBytes, hostAddressBytes));
        }
    }

    private static boolean continues(CopyRun last, CopyRun run) {
        return last.memory().equals(run.memory())
                && last.offsetBytes() + last.lengthBytes() == run.offsetBytes()
                && last.hostAddressBytes() + last.lengthBytes() == run.hostAddressBytes();
    }
}
