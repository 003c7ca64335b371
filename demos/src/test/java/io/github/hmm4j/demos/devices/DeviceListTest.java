package io.github.hmm4j.demos.devices;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.harness.DeviceReport;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DeviceListTest {
    @ParameterizedTest
    @EnumSource
    void saysWhatAHeapOnEachDeviceWouldBe(Binding binding) {
        List<DeviceReport> reports = DeviceList.of(binding);

        assertThat(reports.stream().filter(DeviceReport::chosen)).hasSize(1);
        for (DeviceReport report : reports) {
            assertThat(report.error()).isEmpty();
            assertThat(report.binding()).isEqualTo(binding.toString());
            DeviceReport.Use use = report.use().orElseThrow();
            assertThat(use.copyEngine()).isIn("direct", "staged", "copy");
            assertThat(use.toDeviceMegabytesPerSecond()).isPositive();
            assertThat(use.budgetBytes()).isBetween(1L, report.memoryBytes());
            boolean fits = use.heapBytes() <= Math.min(use.budgetBytes(), report.maxAllocationBytes());
            assertThat(use.placement()).isEqualTo(fits ? "aperture" : "windows");
            assertThat(use.hostAccess()).isIn("uffd", "sigsegv", "checked");
            DeviceReport.Offer offer = report.offer().orElseThrow();
            assertThat(offer.openCl()).matches("[1-9]\\.\\d");
            assertThat(offer.openClC()).contains("1.2");
            assertThat(offer.profiling()).isTrue();
            assertThat(offer.timerNanos()).isPositive();
            assertThat(offer.sharedMemory().stream().filter(DeviceReport.SharedMemory::available)).hasSameSizeAs(report.svm());
            DeviceReport.WorkGroups groups = report.workGroups().orElseThrow();
            assertThat(groups.maxWorkGroupSize()).isPositive();
            assertThat(groups.localMemoryBytes()).isPositive();
            groups.preferredMultiple().ifPresent(multiple ->
                assertThat(multiple).isBetween(1L, (long) groups.maxWorkGroupSize()));
            assertThat(report.decisions()).extracting(DeviceReport.Decision::what)
                .containsExactly("copies", "in place", "placement", "budget", "queues", "host access");
        }
    }
}
