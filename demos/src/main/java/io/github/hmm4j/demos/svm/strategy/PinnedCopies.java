package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.svm.Strategy;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// [Copies] through two pinned buffers in turns: while the device copies one, the processor fills or empties the other.
final class PinnedCopies extends Copies {
    private static final long CL_MEM_ALLOC_HOST_PTR = 1 << 4;
    private static final long LANE_BYTES = 1 << 20;

    private final List<Lane> lanes = new ArrayList<>(); // made when they are first used, so that this can be opened, and closed, where the driver refuses

    PinnedCopies(BareOpenCl device, boolean oneBufferForAll) {
        super(Strategy.COPIES_PINNED, device, oneBufferForAll);
    }

    @Override
    void write(long buffer, long offsetBytes, MemorySegment host) {
        int turn = 0;
        for (long at = 0; at < host.byteSize(); at += LANE_BYTES, turn ^= 1) {
            long length = Math.min(LANE_BYTES, host.byteSize() - at);
            Lane lane = lane(turn);
            lane.await();
            MemorySegment.copy(host, at, lane.memory, 0, length);
            lane.event = api().enqueueWrite(device().queue(), buffer, offsetBytes + at, length, lane.memory.address(), true);
            api().flush(device().queue());
        }
    }

    @Override
    void read(long buffer, long offsetBytes, MemorySegment host) {
        startRead(0, buffer, offsetBytes, host);
        int turn = 0;
        for (long at = 0; at < host.byteSize(); at += LANE_BYTES, turn ^= 1) {
            if (at + LANE_BYTES < host.byteSize()) {
                startRead(at + LANE_BYTES, buffer, offsetBytes, host);
            }
            Lane lane = lane(turn);
            lane.await();
            MemorySegment.copy(lane.memory, 0, host, at, Math.min(LANE_BYTES, host.byteSize() - at));
        }
    }

    private void startRead(long at, long buffer, long offsetBytes, MemorySegment host) {
        Lane lane = lane((int) (at / LANE_BYTES % 2));
        lane.await();
        long length = Math.min(LANE_BYTES, host.byteSize() - at);
        lane.event = api().enqueueRead(device().queue(), buffer, offsetBytes + at, length, lane.memory.address(), true);
        api().flush(device().queue());
    }

    private Lane lane(int turn) {
        while (lanes.size() <= turn) {
            lanes.add(new Lane());
        }
        return lanes.get(turn);
    }

    @Override
    public void close() {
        for (Lane lane : lanes) {
            lane.close();
        }
        super.close();
    }

    private final class Lane {
        private final long pinned = api().createBuffer(device().context(), CL_MEM_ALLOC_HOST_PTR, LANE_BYTES, 0);
        private final MemorySegment memory;
        private long event; // 0: free

        Lane() {
            try {
                memory = MemorySegment.ofAddress(api().map(device().queue(), pinned, MapFlags.of(Access.UPDATE), 0, LANE_BYTES)).reinterpret(LANE_BYTES);
            } catch (RuntimeException e) {
                api().releaseMemory(pinned);
                throw e;
            }
        }

        void await() {
            if (event != 0) {
                api().waitFor(event);
                int status = api().eventStatus(event);
                api().releaseEvent(event);
                event = 0;
                if (status != 0) {
                    throw new IllegalStateException("a copy failed on the device: status=" + status);
                }
            }
        }

        void close() {
            await();
            api().enqueueUnmap(device().queue(), pinned, memory.address(), false);
            api().finish(device().queue());
            api().releaseMemory(pinned);
        }
    }
}
