package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.KernelLimits;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Index spaces that begin elsewhere, or are no multiple of the work-group: what kernels see of them.
@Timeout(120)
class RangesOfWorkTest {

    private static final Source SOURCE = Source.text("ids.cl", """
            kernel void ids(global int *out, int width) {
                out[get_global_id(1) * width + get_global_id(0)] = 1000 * get_global_offset(0) + 100 * get_global_offset(1) + 10 * get_local_id(0) + get_group_id(1);
            }
            """);
    /// Each work-item needs a page of its own; the groups of the second one leave together.
    private static final Source PAGED = Source.text("paged_ids.cl", """
            #include "hmm.clh"
            kernel void add_ids(HMM_HEAP, ulong data, ulong step) {
                HMM_BEGIN;
                const ulong at = get_global_id(0) * 7 + get_global_id(1);
                global int *value = HMM_WRITE(int, data + (at - 5000) * step);
                if (!value) return;
                *value += (int)at;
                HMM_END;
            }
            kernel void add_in_groups(HMM_HEAP, ulong data, ulong step) {
                local int flag;
                HMM_BEGIN_GROUP;
                global int *value = HMM_WRITE(int, data + (get_global_id(0) - 700) * step);
                if (HMM_ANY(!value, &flag)) return;
                *value += (int)get_global_id(0);
                HMM_END;
            }
            kernel void stray(HMM_HEAP) {
                HMM_BEGIN;
                global int *value = HMM_WRITE(int, hmm_base - 4);
                HMM_END;
            }
            """);

    @ParameterizedTest
    @CsvSource({"LWJGL, CHECKED", "JOCL, CHECKED", "LWJGL, UFFD", "JOCL, SIGSEGV"})
    void workItemsAreNumberedFromTheOffset(ClBinding binding, Mode mode) {
        int width = 32;
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).hostAccess(mode).open()) {
            MemorySegment out = hmm.heap().allocate(JAVA_INT, width * 16);
            Kernel ids = hmm.program(SOURCE).kernel("ids");
            ids.args(out, width).launch(NDRange.of(8, 4).offset(6, 3).local(4, 2)).await();
            int[] expected = new int[width * 16];
            for (int y = 3; y < 7; y++) {
                for (int x = 6; x < 14; x++) {
                    expected[y * width + x] = 6300 + 10 * ((x - 6) % 4) + (y - 3) / 2;
                }
            }
            assertThat(intsOf(hmm, out)).isEqualTo(expected);
            // a copied argument, and the driver's work-group
            ids.args(out.asSlice(4), width).launch(NDRange.of(4).offset(20)).await();
            assertThat(Arrays.stream(intsOf(hmm, out), 21, 25).map(seen -> seen / 1000)).containsOnly(20);
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void kernelsThatMissPagesCountTheirWorkItemsFromZero(Mode mode) {
        int step = 4096;
        for (ClBinding binding : ClBinding.values()) {
            try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).hostAccess(mode).pageSize(step)
                    .budget(24L * step).open()) {
                MemorySegment data = hmm.heap().allocate(JAVA_INT, 1024L * 350);
                for (String options : List.of("", "-cl-std=CL3.0")) { // groups have another size there
                    countFromZero(hmm, hmm.program(PAGED, options), data, step);
                    hmm.heap().discard(data);
                }
            }
        }
    }

    private static void countFromZero(Hmm hmm, Program program, MemorySegment data, long step) {
        Launch launch = program.kernel("add_ids").args(Arg.heap(Arg.inOut(data)), data.address(), step)
                .launch(NDRange.of(50, 7).offset(714, 2).local(5, 1)).await(); // 714 * 7 + 2 = 5000
        assertThat(launch.moves().rounds()).isGreaterThan(1);
        int[] seen = intsOf(hmm, data);
        for (int i = 0; i < 350; i++) {
            assertThat(seen[i * 1024]).as("item %d", i).isEqualTo(5000 + i); // once each
        }
        program.kernel("add_in_groups").args(Arg.heap(Arg.inOut(data)), data.address(), step)
                .launch(NDRange.of(64).offset(700).local(8)).await();
        seen = intsOf(hmm, data);
        for (int i = 0; i < 64; i++) {
            assertThat(seen[i * 1024]).as("item %d", i).isEqualTo(5700 + 2 * i);
        }
        Kernel.Call stray = program.kernel("stray").args(Arg.heap(Arg.inOut(data)));
        assertThatThrownBy(() -> stray.launch(NDRange.of(1).offset(90))).hasMessageContaining("workItem=0");
    }

    @ParameterizedTest
    @EnumSource
    void workItemsOfKernelsThatFaultAreNumberedFromTheOffset(ClBinding binding) {
        assumeTrue(FirstDevice.worksInHostMemory(), "kernels of this device cannot fault");
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).hostAccess(Mode.UFFD).pageSize(4096)
                .deviceFaults().open()) {
            MemorySegment out = hmm.heap().allocate(JAVA_INT, 4096);
            hmm.program(SOURCE).kernel("ids").args(out, 1024).launch(NDRange.of(500, 2).offset(300, 1)).await();
            for (int i = 0; i < 4096; i++) {
                boolean inside = i / 1024 >= 1 && i / 1024 <= 2 && i % 1024 >= 300 && i % 1024 < 800;
                assertThat(out.getAtIndex(JAVA_INT, i) / 100_000).as("element %d", i).isEqualTo(inside ? 3 : 0);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void smallerGroupsAreRefusedWhereTheDeviceOrTheProgramHasNone(ClBinding binding) {
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).open()) {
            MemorySegment out = hmm.heap().allocate(JAVA_INT, 64);
            for (String options : List.of("", "-cl-std=CL3.0")) {
                Kernel ids = hmm.program(SOURCE, options).kernel("ids");
                KernelLimits limits = ids.limits(hmm.device());
                assertThat(limits.preferredMultiple()).isPositive();
                if (limits.smallerGroups()) { // no driver that we have run on does
                    ids.args(out, 1).launch(NDRange.of(10).local(4)).await();
                } else {
                    assertThatIllegalArgumentException()
                            .isThrownBy(() -> ids.args(out, 1).launch(NDRange.of(10).local(4)))
                            .withMessageContaining("kernel=ids: global=[10] is no multiple of local=[4]");
                }
            }
        }
    }

    @Test
    void aGroupThatDoesNotDivideIsTheDriversBusinessWhereItCan() {
        KernelLimits limits = new KernelLimits(64, List.of(64L, 64L, 64L), List.of(), 0, 1024, 8, true);
        limits.require("k", NDRange.of(10).local(4), 0);
        KernelLimits required = new KernelLimits(64, List.of(64L, 64L, 64L), List.of(4L, 1L, 1L), 0, 1024, 8, true);
        assertThatIllegalArgumentException().isThrownBy(() -> required.require("k", NDRange.of(10), 0))
                .withMessageContaining("reqd_work_group_size=[4, 1, 1]");
    }

    private static int[] intsOf(Hmm hmm, MemorySegment segment) {
        try (HostView view = hmm.heap().view(segment, Access.READ)) {
            return view.segment().toArray(JAVA_INT);
        }
    }
}
