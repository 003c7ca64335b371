package io.github.hmm4j.conformance;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import java.lang.foreign.MemorySegment;

/// Gives a kernel more than the largest allocation of an emulated GPU: says that it was refused, or that it was right.
final class LargeBuffersWorker {

    private static final int PAGES = 1536;

    private LargeBuffersWorker() {}

    public static void main(String[] args) {
        try (Rig rig = new Rig(Backend.OPENCL_LWJGL.builder(1).heap(ByteSize.mib(512)).budget(ByteSize.mib(192)).pageSize(64 << 10))) {
            MemorySegment large = rig.pages(PAGES);
            rig.launchFill(rig.device(0), large, 7).await();
            rig.assertHostSeesRamp(large, 7);
            System.out.println("right with allocations of up to " + rig.device(0).info().maxAllocationBytes());
        } catch (DeviceMemoryExhaustedException e) {
            System.out.println("refused: " + e.getMessage());
        }
    }
}
