package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.timeline.CommandEvent;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The copy lane of a simulated device. A batch is one piece of work; batches of both directions end in the order
/// submitted.
final class SimCopyEngine implements CopyEngine {

    /// The smallest page: every run starts and ends on its multiples.
    private static final long PAGE_BYTES = 4096;

    private final SimDevice device;
    private final long hostAddressBytes;
    private final long hostLengthBytes;
    private volatile boolean closed;

    SimCopyEngine(SimDevice device, long hostAddressBytes, long hostLengthBytes) {
        this.device = device;
        this.hostAddressBytes = hostAddressBytes;
        this.hostLengthBytes = hostLengthBytes;
    }

    @Override
    public String name() {
        return "sim";
    }

    @Override
    public Completion toDevice(List<CopyRun> batch) {
        List<Transfer> transfers = new ArrayList<>(batch.size());
        for (CopyRun run : batch) {
            SimMemory memory = check("toDevice", run);
            MemorySegment pages = HostBytes.at(run.hostAddressBytes(), run.lengthBytes());
            transfers.add(Transfer.toDevice(pages, memory, run.offsetBytes()));
        }
        return submit(Operation.COPY_TO_DEVICE, transfers);
    }

    @Override
    public Completion toHost(List<CopyRun> batch) {
        List<Transfer> transfers = new ArrayList<>(batch.size());
        for (CopyRun run : batch) {
            SimMemory memory = check("toHost", run);
            MemorySegment pages = HostBytes.at(run.hostAddressBytes(), run.lengthBytes());
            transfers.add(Transfer.toHost(memory, run.offsetBytes(), pages));
        }
        return submit(Operation.COPY_TO_HOST, transfers);
    }

    @Override
    public Completion onDevice(
            DeviceMemory source, long sourceOffsetBytes,
            DeviceMemory target, long targetOffsetBytes, long lengthBytes) {
        SimMemory from = inside("onDevice", source, sourceOffsetBytes, lengthBytes);
        SimMemory to = inside("onDevice", target, targetOffsetBytes, lengthBytes);
        long apart = from.startBytes() + sourceOffsetBytes - to.startBytes() - targetOffsetBytes;
        if (from.root() == to.root() && Math.abs(apart) < lengthBytes) {
            throw new IllegalArgumentException(
                    String.format(Locale.ROOT, "onDevice: sourceOffsetBytes=%d and targetOffsetBytes=%d overlap, lengthBytes=%d",
                            sourceOffsetBytes, targetOffsetBytes, lengthBytes));
        }
        return submit(Operation.COPY_ON_DEVICE,
                List.of(Transfer.onDevice(from, sourceOffsetBytes, to, targetOffsetBytes, lengthBytes)));
    }

    @Override
    public Completion zero(DeviceMemory memory, long offsetBytes, long lengthBytes) {
        SimMemory target = inside("zero", memory, offsetBytes, lengthBytes);
        return submit(Operation.ZERO, List.of(Transfer.zero(target, offsetBytes, lengthBytes)));
    }

    private SimMemory check(String what, CopyRun run) {
        long start = run.hostAddressBytes() - hostAddressBytes;
        if (run.lengthBytes() <= 0 || start < 0 || start > hostLengthBytes - run.lengthBytes()) {
            throw new IllegalArgumentException(
                    String.format(Locale.ROOT, "%s: hostAddressBytes=0x%x, lengthBytes=%d, outside the engine's 0x%x, lengthBytes=%d",
                            what, run.hostAddressBytes(), run.lengthBytes(), hostAddressBytes, hostLengthBytes));
        }
        if ((run.hostAddressBytes() | run.offsetBytes() | run.lengthBytes()) % PAGE_BYTES != 0) {
            throw new IllegalArgumentException(
                    String.format(Locale.ROOT, "%s: hostAddressBytes=0x%x, offsetBytes=%d, lengthBytes=%d, not page-aligned",
                            what, run.hostAddressBytes(), run.offsetBytes(), run.lengthBytes()));
        }
        SimMemory memory = inside(what, run.memory(), run.offsetBytes(), run.lengthBytes());
        if (memory.isSlice()) {
            throw new IllegalArgumentException(what + ": memory is not a whole allocation");
        }
        return memory;
    }

    private SimMemory inside(String what, DeviceMemory memory, long offsetBytes, long lengthBytes) {
        SimMemory ours = device.own(memory, what);
        if (!ours.root().isAllocation()) {
            throw new IllegalArgumentException(what + ": host pages used in place need no copies");
        }
        ours.checkRange(what, offsetBytes, lengthBytes);
        return ours;
    }

    private Completion submit(Operation operation, List<Transfer> transfers) {
        if (closed) {
            throw new IllegalStateException("copy engine of device=" + device.info().name() + " is closed");
        }
        if (transfers.isEmpty()) {
            return Completion.DONE;
        }
        refuseOverlap(operation, transfers);
        if (device.enter(operation)) {
            transfers.forEach(Transfer::spoil);
            throw operation.failure(device.detail("bytes=" + bytes(transfers) + ", targets hold garbage"));
        }
        retain(transfers);
        boolean doomed = device.endIsDoomed();
        try {
            return device.lane(SimLane.COPY).submit(task(operation, transfers), () -> run(operation, transfers, doomed));
        } catch (IllegalStateException closedMeanwhile) {
            transfers.forEach(Transfer::release);
            throw closedMeanwhile;
        }
    }

    private static LaneQueue.Task task(Operation operation, List<Transfer> transfers) {
        return new LaneQueue.Task(CommandEvent.Kind.valueOf(operation.name()), operation.call(), bytes(transfers));
    }

    private static void retain(List<Transfer> transfers) {
        int retained = 0;
        try {
            for (Transfer transfer : transfers) {
                transfer.retain();
                retained++;
            }
        } finally {
            if (retained < transfers.size()) {
                transfers.subList(0, retained).forEach(Transfer::release);
            }
        }
    }

    private @Nullable HmmException run(Operation operation, List<Transfer> transfers, boolean doomed) {
        try {
            if (doomed || device.isLost()) {
                transfers.forEach(Transfer::spoil);
                return device.isLost()
                        ? device.lostAt(operation)
                        : Operation.WAIT.failure(device.detail("after=" + operation + ", bytes=" + bytes(transfers)));
            }
            for (Transfer transfer : transfers) {
                if (transfer.run()) {
                    device.readUndefined();
                }
            }
            return null;
        } finally {
            transfers.forEach(Transfer::release);
        }
    }

    /// Two runs of a batch that write the same bytes have no defined result.
    private static void refuseOverlap(Operation operation, List<Transfer> transfers) {
        List<MemorySegment> targets = transfers.stream().map(Transfer::to)
                .sorted((a, b) -> Long.compareUnsigned(a.address(), b.address())).toList();
        for (int i = 1; i < targets.size(); i++) {
            MemorySegment before = targets.get(i - 1);
            if (before.address() + before.byteSize() > targets.get(i).address()) {
                throw new IllegalArgumentException(
                        String.format(Locale.ROOT, "%s: two runs of the batch overlap in their target, lengthBytes=%d and %d",
                                operation, before.byteSize(), targets.get(i).byteSize()));
            }
        }
    }

    private static long bytes(List<Transfer> transfers) {
        return transfers.stream().mapToLong(transfer -> transfer.to().byteSize()).sum();
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        device.lane(SimLane.COPY).drain();
        device.closedObject();
    }
}
