package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.NativeHandles;
import io.github.hmm4j.error.HmmException;
import java.util.List;

/// Copies through pinned staging memory, in slots: while the device transfers one, the host fills or empties another.
/// Works with every driver. With [CopyMode#STAGED] read and write commands carry the bytes ([TransferSlots]), with
/// [CopyMode#COPY] `clEnqueueCopyBuffer` does ([BufferSlots]).
///
/// Each direction has a lane of its own, so that the two do not wait for each other on the host. A lane takes its memory with its first copy: what comes home from a heap comes through
/// slots of native code ([NativeHandles]), so that towards the host is there for the self-test, and for who uses an engine by itself.
final class StagedCopyEngine extends ClCopyEngine {

    static final int SLOTS = 4;
    static final int SLOT_BYTES = 2 << 20;

    private final CopyMode mode;
    private final HostCopier copier;
    private final StagingLane up;
    private final StagingLane down;

    /// @param mode staged or copy
    StagedCopyEngine(CopyMode mode, ClDevice device, long hostAddressBytes, long hostLengthBytes) {
        super(device, hostAddressBytes, hostLengthBytes);
        this.mode = mode;
        this.copier = new HostCopier(CopyEngine.threads());
        this.up = lane(StagingLane.Direction.TO_DEVICE);
        this.down = lane(StagingLane.Direction.TO_HOST);
    }

    private StagingLane lane(StagingLane.Direction direction) {
        return new StagingLane(device, copier,
                mode == CopyMode.COPY ? new BufferSlots(device, direction) : new TransferSlots(device, direction));
    }

    @Override
    public String name() {
        return mode.toString();
    }

    @Override
    public Completion toDevice(List<CopyRun> batch) {
        return submit(up, batch);
    }

    @Override
    public Completion toHost(List<CopyRun> batch) {
        return submit(down, batch);
    }

    private Completion submit(StagingLane lane, List<CopyRun> batch) {
        try {
            return lane.submit(checkedAndJoined(batch));
        } catch (HmmException e) {
            throw device.named(e);
        }
    }

    @Override
    void keepOrder() {
        up.orderBehindKernel();
    }

    @Override
    void release() {
        try {
            new Cleanup().run(up::close).run(down::close).run(queue::finish).run(copier::close).end();
        } catch (HmmException e) {
            throw device.named(e);
        }
    }
}
