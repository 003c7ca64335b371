package io.github.hmm4j.conformance;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.account.Counter;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Works on more than the device has, with a budget that promises more, and tells how many pages had to leave.
final class SmallDeviceWorker {

    private static final int REGIONS = 20;
    private static final int REGION_PAGES = 128;

    private SmallDeviceWorker() {}

    public static void main(String[] args) {
        try (Rig rig = new Rig(Backend.OPENCL_LWJGL.builder(1).heap(ByteSize.mib(256)).budget(ByteSize.mib(192)).pageSize(64 << 10))) {
            List<MemorySegment> regions = new ArrayList<>();
            for (int i = 0; i < REGIONS; i++) {
                regions.add(rig.pages(REGION_PAGES));
                rig.launchFill(rig.device(0), regions.getLast(), i).await();
            }
            for (int i = 0; i < REGIONS; i++) {
                rig.assertHostSeesRamp(regions.get(i), i);
            }
            System.out.println("done evicted=" + rig.count(Counter.EVICTED_DIRTY_PAGES));
        }
    }
}
