package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.timeline.CommandEvent;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.function.Supplier;

/// Copies between device memory and host pages wrapped as buffers: one command for a run, no copy in between.
///
/// The specification lets a driver keep a copy of wrapped memory and bring the two together only when the buffer is
/// mapped. We never map: a window is far larger than what moves, and the rest of it is in use by the host meanwhile. So
/// this engine is only offered for devices that work in host memory, and only after [CopySelfTest] has seen that the
/// driver has no such copy.
///
/// Little that goes to the device is copied without a command: to wake the driver's thread and to wait for it takes longer.
///
/// Every command has its event: one that fails in the middle of a batch must not go unseen, and the specification does not promise that those behind it fail too.
final class DirectCopyEngine extends ClCopyEngine {

    /// A command costs as much as copying this many bytes; less than that towards the device is written to its memory where
    /// we reach it, by the thread that asks.
    private static final long WORTH_A_COMMAND_BYTES = 256 << 10;

    private final HostWindows windows;

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
        List<CopyRun> runs = checkedAndJoined(batch);
        if (isWorthACommand(runs)) {
            return copy(runs, true);
        }
        synchronized (this) { // nobody closes the engine meanwhile
            requireOpen();
            long mark = queue.mark();
            for (CopyRun run : runs) {
                HostCopier.copy(run.hostAddressBytes(), run.memory().hostAddressBytes() + run.offsetBytes(), run.lengthBytes());
            }
            if (!runs.isEmpty()) {
                queue.madeHere(mark, CommandEvent.Kind.COPY_TO_DEVICE, runs.stream().mapToLong(CopyRun::lengthBytes).sum());
            }
        }
        return Completion.DONE;
    }

    private static boolean isWorthACommand(List<CopyRun> runs) {
        long bytes = 0;
        for (CopyRun run : runs) {
            bytes += run.memory().hostAddressBytes() == 0 ? WORTH_A_COMMAND_BYTES : run.lengthBytes();
        }
        return bytes >= WORTH_A_COMMAND_BYTES;
    }

    @Override
    public Completion toHost(List<CopyRun> batch) {
        List<CopyRun> runs = checkedAndJoined(batch);
        return runs.isEmpty() ? Completion.DONE : copy(runs, false);
    }

    private Completion copy(List<CopyRun> runs, boolean toDevice) {
        synchronized (this) {
            requireOpen();
            StagedCommands commands = new StagedCommands(runs.stream().mapToInt(run -> windows.across(run.hostAddressBytes() - hostAddressBytes, run.lengthBytes())).sum());
            Supplier<String> detail = () -> "runs=" + runs.size() + ", bytes=" + runs.stream().mapToLong(CopyRun::lengthBytes).sum() + ", device=" + device;
            IntToLongFunction bytesOf = commands::bytesOf;
            long mark = queue.mark();
            try {
                for (CopyRun run : runs) {
                    enqueue(run, toDevice, commands);
                }
            } catch (RuntimeException e) {
                if (!commands.isEmpty()) {
                    queue.end(commands.events(), commands.count(), "clEnqueueCopyBuffer", () -> "device=" + device);
                }
                throw e instanceof HmmException failed ? device.named(failed) : e;
            } catch (Error e) { // the Java heap is full: nobody waits for what has been enqueued
                queue.finishSurely();
                queue.release(commands.events(), commands.count());
                throw e;
            }
            return queue.submit(commands.events(), commands.count(), "clEnqueueCopyBuffer", detail,
                    mark, toDevice ? CommandEvent.Kind.COPY_TO_DEVICE : CommandEvent.Kind.COPY_TO_HOST, bytesOf);
        }
    }

    /// Enqueues one run, in pieces where it straddles windows; notes the bytes of each.
    private void enqueue(CopyRun run, boolean toDevice, StagedCommands commands) {
        long memory = ours(run.memory()).handle();
        for (long done = 0; done < run.lengthBytes(); ) {
            long hostOffset = run.hostAddressBytes() - hostAddressBytes + done;
            long bytes = Math.min(run.lengthBytes() - done, windows.bytesLeft(hostOffset));
            long window = windows.bufferAt(hostOffset);
            long inWindow = windows.within(hostOffset);
            long inMemory = run.offsetBytes() + done;
            done += bytes;
            commands.add(toDevice
                    ? api.enqueueCopy(queue.handle(), window, memory, inWindow, inMemory, bytes, true)
                    : api.enqueueCopy(queue.handle(), memory, window, inMemory, inWindow, bytes, true), bytes);
        }
    }

    @Override
    void release() {
        var cleanup = new Cleanup().run(queue::finish);
        windows.release(cleanup);
        cleanup.end();
    }
}
