package io.github.hmm4j.demos.devices;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.harness.DeviceReport.Decision;
import io.github.hmm4j.demos.harness.DeviceReport.Extension;
import io.github.hmm4j.demos.harness.DeviceReport.SharedMemory;
import io.github.hmm4j.demos.harness.DeviceReport.Use;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceInfo.Svm;
import io.github.hmm4j.device.InPlace;
import io.github.hmm4j.device.opencl.Overlap;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Answers of drivers that are not here, in words.
class DeviceOfferTest {
    @Test
    void namesTheKindsOfSharedMemory() {
        assertThat(DeviceOffer.sharedMemory(Set.of(Svm.COARSE_GRAIN_BUFFER, Svm.ATOMICS)))
            .filteredOn(SharedMemory::available).extracting(SharedMemory::kind)
            .containsExactly("coarse-grained buffer", "atomics");
    }

    @Test
    void namesTheOrdersAndTheWidestScopeOfAtomics() {
        assertThat(DeviceOffer.atomics(0b0010001)).isEqualTo("relaxed; scope up to work-group");
        assertThat(DeviceOffer.atomics(0b1111111))
            .isEqualTo("relaxed, acquire/release, sequentially consistent; scope up to all devices and the host");
        assertThat(DeviceOffer.atomics(0)).isEqualTo("none");
        assertThat(DeviceOffer.atomicsBeforeOpenCl3(12, Set.of())).isEqualTo("relaxed; scope up to device");
        assertThat(DeviceOffer.atomicsBeforeOpenCl3(20, Set.of())).endsWith("consistent; scope up to device");
        assertThat(DeviceOffer.atomicsBeforeOpenCl3(21, Set.of(Svm.ATOMICS))).endsWith("all devices and the host");
    }

    @Test
    void readsStructures() {
        ByteBuffer languages = ByteBuffer.allocate(2 * 68).order(ByteOrder.nativeOrder());
        languages.putInt(0, 1 << 22 | 2 << 12).putInt(68, 3 << 22 | 7);
        assertThat(DeviceOffer.versions(languages.array())).containsExactly("1.2", "3.0");
    }

    @Test
    void leavesOutExtensionsThatChangeNothing() {
        assertThat(Extensions.that(Set.of("cl_khr_fp64", "cl_khr_pci_bus_info", "cl_khr_int64_base_atomics")))
            .extracting(Extension::name).containsExactly("cl_khr_int64_base_atomics", "cl_khr_pci_bus_info");
    }

    @Test
    void givesTheReasonThatHolds() {
        assertThat(decision("placement", 4, 8, 2)).isEqualTo(new Decision("placement",
            "windows: each kernel argument gets memory of its own",
            "the default heap of 4.00 GiB exceeds the largest allocation of 2.00 GiB; a smaller heap lets kernels follow pointers"));
        assertThat(decision("placement", 4, 3, 8).why()).contains("exceeds the budget of 3.00 GiB");
        assertThat(decision("placement", 2, 3, 8).choice()).startsWith("aperture");
        assertThat(decision("in place", 2, 3, 8)).isEqualTo(new Decision("in place", "no: pages migrate", "kernels do not use the heap's host pages: a copy"));
        assertThat(decision("in place", new InPlace(true, "proven", false, 1), 2, 3, 8).choice()).startsWith("on request");
    }

    @Test
    void promisesOnlyWhatWasSeen() {
        assertThat(queues(true)).startsWith("a page comes home while a kernel that does not use it runs (tried)");
        assertThat(queues(false)).startsWith("but a page waits for any kernel that runs, also one that does not use it (tried)");
    }

    @Test
    void saysWhereTheBudgetComesFrom() {
        assertThat(decision("budget", 2, 3, 8)).isEqualTo(new Decision("budget", "3.00 GiB of its memory",
            "what is free less 400 MiB (less a quarter, if that is less) for staging, page tables and buffers of others; --budget says otherwise"));
        assertThat(of(true, InPlace.refuted("a copy"), true, "budget", 2, 3, 8).why()).contains("at most half of all");
    }

    private static String queues(boolean overlaps) {
        return of(false, InPlace.refuted("a copy"), overlaps, "queues", 2, 3, 8).why();
    }

    private static Decision decision(String what, long heapGiB, long budgetGiB, long allocationGiB) {
        return decision(what, InPlace.refuted("a copy"), heapGiB, budgetGiB, allocationGiB);
    }

    private static Decision decision(String what, InPlace inPlace, long heapGiB, long budgetGiB, long allocationGiB) {
        return of(false, inPlace, true, what, heapGiB, budgetGiB, allocationGiB);
    }

    private static Decision of(boolean unified, InPlace inPlace, boolean overlaps, String what, long heapGiB, long budgetGiB, long allocationGiB) {
        DeviceInfo info = new DeviceInfo("name", "vendor", "driver", "lwjgl", DeviceInfo.Kind.GPU, 16L << 30,
            allocationGiB << 30, 128, 256, 8, 32 << 10, unified, Set.of());
        String placement = heapGiB <= Math.min(budgetGiB, allocationGiB) ? "aperture" : "windows";
        List<Decision> all = Decisions.of(info,
            new Use("staged", 1, 1, "why", heapGiB << 30, budgetGiB << 30, placement, "checked", "why"), inPlace, new Overlap(overlaps, "tried"));
        return all.stream().filter(each -> each.what().equals(what)).findFirst().orElseThrow();
    }
}
