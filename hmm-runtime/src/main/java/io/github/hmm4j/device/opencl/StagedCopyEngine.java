package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyRun;
import java.util.List;

/// Copies through pinned staging memory, in slots: while the device transfers one, the host fills or empties another.
/// Works with every driver.
///
/// Each direction has a lane of its own, so that the two do not wait for each other on the host.
final class StagedCopyEngine extends ClCopyEngine {

    static final int SLOTS = 4;
    static final int SLOT_BYTES = 2 << 20;

    private final HostCopier copier;
    private final StagingLane up;
    private final StagingLane down;
    private boolean closed;

    StagedCopyEngine(ClDevice device, long hostAddressBytes, long hostLengthBytes) {
        super(device, hostAddressBytes, hostLengthBytes);
        this.copier = new HostCopier(HostCopier.defaultThreads());
        this.up = new StagingLane(device, copier, StagingLane.Direction.TO_DEVICE);
        this.down = new StagingLane(device, copier, StagingLane.Direction.TO_HOST);
    }

    @Override
    public String name() {
        return CopyMode.STAGED.toString();
    }

    @Override
    public Completion toDevice(List<CopyRun> batch) {
        return up.submit(checkedAndJoined(batch));
    }

    @Override
    public Completion toHost(List<CopyRun> batch) {
        return down.submit(checkedAndJoined(batch));
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
        new Cleanup().run(up::close).run(down::close).run(queue::finish).run(copier::close).end();
    }
}
