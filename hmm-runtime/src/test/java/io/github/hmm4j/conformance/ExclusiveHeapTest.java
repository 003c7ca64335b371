package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.account.Counter;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A heap whose pages take memory in one place only: what the operating system says of it.
class ExclusiveHeapTest {

    private static final int PAGES = 128;

    private Set<Integer> heapsBefore;
    private int memfd;

    private Rig open(Backend backend, boolean exclusive) {
        heapsBefore = ProcFs.heaps();
        HmmBuilder builder = backend.builder(1).heap(ByteSize.mib(32)).pageSize(ByteSize.kib(64));
        Rig rig = new Rig(exclusive ? builder.exclusive() : builder);
        Set<Integer> opened = new TreeSet<>(ProcFs.heaps());
        opened.removeAll(heapsBefore);
        assertThat(opened).hasSize(1);
        memfd = opened.iterator().next();
        return rig;
    }

    @ParameterizedTest
    @EnumSource(names = {"UFFD_LWJGL", "SIGSEGV_LWJGL", "OPENCL_LWJGL"})
    void hostMemoryIsGivenBackWhilePagesAreAway(Backend backend) {
        try (Rig rig = open(backend, true)) {
            MemorySegment buffer = rig.ramp(PAGES, 0);
            MemorySegment half = rig.page(buffer, 0, PAGES / 2);
            long bytes = buffer.byteSize();
            long home = LibC.allocatedBytes(memfd);
            long resident = ProcFs.residentHeapBytes();
            assertThat(home).isGreaterThanOrEqualTo(bytes);

            assertThat(rig.heap.migrate(buffer, rig.device(0)).allResident()).isTrue();
            assertThat(LibC.allocatedBytes(memfd)).isEqualTo(home - bytes);
            assertThat(ProcFs.residentHeapBytes()).isLessThanOrEqualTo(resident - bytes);
            assertThat(rig.count(Counter.RELEASED_PAGES)).isEqualTo(PAGES);

            rig.assertHostSeesRamp(half, 0);
            assertThat(LibC.allocatedBytes(memfd)).isEqualTo(home - bytes / 2);
            rig.launchAdd(rig.device(0), buffer, 7).await(); // what a launch takes along is given back, too
            assertThat(LibC.allocatedBytes(memfd)).isEqualTo(home - bytes);

            rig.hmm.evictAll(rig.device(0));
            assertThat(LibC.allocatedBytes(memfd)).isEqualTo(home);
            rig.assertHostSeesRamp(buffer, 7);
        }
    }

    /// Pages that a device only reads stay valid on the host, and so does their memory.
    @ParameterizedTest
    @EnumSource(names = {"UFFD_LWJGL", "SIGSEGV_LWJGL", "OPENCL_LWJGL"})
    void sharedPagesKeepTheirHostMemory(Backend backend) {
        try (Rig rig = open(backend, true)) {
            MemorySegment buffer = rig.ramp(PAGES, 0);
            long home = LibC.allocatedBytes(memfd);
            rig.assertDeviceSeesRamp(rig.device(0), buffer, 0);
            assertThat(rig.heap.residency(buffer).sharedBytes()).isEqualTo(buffer.byteSize());
            assertThat(LibC.allocatedBytes(memfd)).isGreaterThanOrEqualTo(home);
            rig.assertHostSeesRamp(buffer, 0);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"UFFD_LWJGL", "SIGSEGV_LWJGL", "OPENCL_LWJGL"})
    void otherHeapsKeepTheirHostMemory(Backend backend) {
        try (Rig rig = open(backend, false)) {
            MemorySegment buffer = rig.ramp(PAGES, 0);
            long home = LibC.allocatedBytes(memfd);
            assertThat(rig.heap.migrate(buffer, rig.device(0)).allResident()).isTrue();
            assertThat(LibC.allocatedBytes(memfd)).isEqualTo(home);
            assertThat(rig.count(Counter.RELEASED_PAGES)).isZero();
        }
    }
}
