package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyRun;
import java.util.List;

/// Copies between device memory and host pages wrapped as buffers: one command for a run, no copy in between.
///
/// The specification lets a driver keep a copy of wrapped memory and bring the two together only when the buffer is
/// mapped. We never map: a window is far larger than what moves, and the rest of it is in use by the host meanwhile. So
/// this engine is only offered for devices that work in host memory, and only after [CopySelfTest] has seen that the
/// driver has no such copy.
///
/// One event for a batch, on its last command. The queue is in order, and after a command that fails the specification
/// promises nothing for the ones behind it, so the last one does not end well alone.
final class DirectCopyEngine extends ClCopyEngine {

    private final HostWindows windows;
    private boolean closed;

    DirectCopyEngine(ClDevice device, long hostAddressBytes, long hostLengthBytes) {
        super(device, hostAddressBytes, hostLengthBytes);
        this.windows = new HostWindows(
                api, device.context(), hostAddressBytes, hostLengthBytes, device.info().maxAllocationBytes());
    }

    @Override
    public String name() {
        return CopyMode.DIRECT.toString();
    }

    @Override
    public Completion toDevice(List<CopyRun> batch) {
        return copy(batch, true);
    }

    @Override
    public Completion toHost(List<CopyRun> batch) {
        return copy(batch, false);
    }

    private Completion copy(List<CopyRun> batch, boolean toDevice) {
        List<CopyRun> runs = checkedAndJoined(batch);
        if (runs.isEmpty()) {
            return Completion.DONE;
        }
        synchronized (this) {
            requireOpen();
            long event = 0;
            try {
                for (int i = 0; i < runs.size(); i++) {
                    event = enqueue(runs.get(i), toDevice, i == runs.size() - 1);
                }
            } catch (RuntimeException e) {
                queue.finishAfter(e);
                throw e;
            }
            return queue.submit(event, "clEnqueueCopyBuffer", () -> "runs=" + runs.size() + ", bytes="
                    + runs.stream().mapToLong(CopyRun::lengthBytes).sum() + ", device=" + device);
        }
    }

    /// Enqueues one run, in pieces where it straddles windows. Returns the event of the last piece if `wantEvent`.
    private long enqueue(CopyRun run, boolean toDevice, boolean wantEvent) {
        long memory = ours(run.memory()).handle();
        long event = 0;
        for (long done = 0; done < run.lengthBytes(); ) {
            long hostOffset = run.hostAddressBytes() - hostAddressBytes + done;
            long bytes = Math.min(run.lengthBytes() - done, windows.bytesLeft(hostOffset));
            long window = windows.bufferAt(hostOffset);
            long inWindow = windows.within(hostOffset);
            long inMemory = run.offsetBytes() + done;
            done += bytes;
            boolean last = wantEvent && done == run.lengthBytes();
            event = toDevice
                    ? api.enqueueCopy(queue.handle(), window, memory, inWindow, inMemory, bytes, last)
                    : api.enqueueCopy(queue.handle(), memory, window, inMemory, inWindow, bytes, last);
        }
        return event;
    }

    @Override
    void requireOpen() {
        if (closed) {
            throw closedEngine();
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        device.disown(this);
        var cleanup = new Cleanup().run(queue::finish);
        windows.release(cleanup);
        cleanup.end();
    }
}
