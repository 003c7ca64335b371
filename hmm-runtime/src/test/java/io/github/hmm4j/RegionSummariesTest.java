package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What is told of whole blocks is what is so of each of their pages.
@Timeout(60)
class RegionSummariesTest {

    private static final int BLOCK_PAGES = PageSize.MAX_BYTES / Rig.PAGE;
    private static final int BLOCKS = 3;

    private static void assertAlike(Rig rig, MemorySegment region, int devicePages, int sharedPages, int hostPages) {
        Residency residency = rig.heap.residency(region);
        assertThat(residency.onDevice(rig.device(0))).isEqualTo((long) devicePages * Rig.PAGE);
        assertThat(residency.sharedBytes()).isEqualTo((long) sharedPages * Rig.PAGE);
        assertThat(residency.hostBytes()).isEqualTo((long) hostPages * Rig.PAGE);
        assertThat(residency.emptyBytes()).isZero();
        List<SnapshotCode> codes = rig.heap.snapshot(region, rig.device(0)).codes();
        assertThat(codes).filteredOn(SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE::equals).hasSize(devicePages);
        assertThat(codes).filteredOn(SnapshotCode.READ::equals).hasSize(sharedPages);
        assertThat(codes).filteredOn(SnapshotCode.WRITE::equals).hasSize(hostPages);
        assertThat(rig.heap.snapshot(region).codes()).as("from the host").filteredOn(SnapshotCode.NONE::equals).hasSize(devicePages);
    }

    @Test
    void residencyAndSnapshotOfBlocksThatLaunchesHaveFound() {
        int pages = BLOCKS * BLOCK_PAGES;
        try (Rig rig = Rig.windows(1, pages + 64)) {
            MemorySegment region = rig.heap.allocate((long) pages * Rig.PAGE, PageSize.MAX_BYTES);
            for (int launch = 0; launch < 3; launch++) { // what one has found is noted, and used by the next
                rig.add(region, 1, 0).await();
                assertAlike(rig, region, pages, 0, 0);
            }
            MemorySegment page = region.asSlice((BLOCK_PAGES + 5L) * Rig.PAGE, Rig.PAGE);
            rig.heap.view(page, Access.READ).close();
            assertAlike(rig, region, pages - 1, 1, 0);
            try (HostView view = rig.heap.view(page, Access.WRITE)) {
                assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(3);
            }
            assertAlike(rig, region, pages - 1, 0, 1);
            rig.add(region, 1, 0).await();
            rig.add(region, 1, 0).await();
            assertAlike(rig, region, pages, 0, 0);
            rig.heap.protect(page, Protection.READ);
            assertThat(rig.heap.snapshot(region, rig.device(0)).codes()).filteredOn(SnapshotCode.DEVICE_PRIVATE_LOCAL_READ::equals).hasSize(1);
            rig.heap.protect(page, Protection.READ_WRITE);
            rig.heap.prefetchHost(region);
            assertAlike(rig, region, 0, 0, pages);
            rig.heap.free(region);
            assertThat(rig.heap.snapshot(region, rig.device(0)).codes()).containsOnly(SnapshotCode.ERROR);
        }
    }
}
