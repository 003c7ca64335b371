package io.github.hmm4j.demos.svm.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.device.Opening;
import io.github.hmm4j.demos.device.RecordingCl;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.work.Work;
import io.github.hmm4j.demos.svm.work.Works;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.ClPlatforms;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostAccess;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// All strategies on all workloads: each result is compared with one oracle, byte by byte, so all are the same; and what they say they have copied is what OpenCL was asked to copy.
class StrategiesTest {
    private static final List<Long> SIZES = List.of(ByteSize.kib(4), ByteSize.kib(544));
    private static final int RUNS = 2;

    @ParameterizedTest
    @EnumSource
    void everyStrategyIsRightAndSaysWhatItCopies(Binding binding) throws Exception {
        ClApi calls = OpenClDevices.api(Opening.binding(binding));
        RecordingCl recording = new RecordingCl();
        ClDeviceId id = OpenClDevices.choose(ClPlatforms.devices(calls), "");
        Map<Strategy, Integer> done = new TreeMap<>();
        for (boolean beyond : new boolean[] {false, true}) {
            try (BareOpenCl device = RecordingCl.device(recording.over(calls), id);
                    Strategies strategies = Strategies.open(device, kind -> heap(recording.over(calls), device, kind, beyond),
                        new Strategies.Wanted(id.info().kind() == DeviceInfo.Kind.CPU, beyond))) {
                for (Strategy strategy : Strategy.values()) {
                    strategies.find(strategy).ifPresentOrElse(open -> done.merge(strategy, tryOut(open, recording, beyond), Integer::sum),
                        () -> assertThat(strategies.whyNot(strategy)).as("why not %s", strategy).isNotEmpty());
                }
            }
        }
        assertThat(done).containsKeys(Strategy.COPIES_PAGEABLE, Strategy.COPIES_PINNED, Strategy.ZERO_COPY, Strategy.HMM_CHECKED, Strategy.HMM_PAGED);
        assertThat(done.values()).allSatisfy(workloads -> assertThat(workloads).isGreaterThanOrEqualTo(Workload.values().length - 1)); // handshake
    }

    @Test
    void whereHostAccessIsCheckedTheReasonSaysSo() throws Exception {
        ClApi calls = OpenClDevices.api(Opening.binding(Binding.LWJGL));
        ClDeviceId id = OpenClDevices.choose(ClPlatforms.devices(calls), "");
        try (BareOpenCl device = RecordingCl.device(calls, id);
                Strategies strategies = Strategies.open(device, _ -> heap(calls, device, Strategies.Kind.CHECKED, false), new Strategies.Wanted(false, false))) {
            assertThat(strategies.find(Strategy.HMM_TRANSPARENT)).isEmpty();
            assertThat(strategies.whyNot(Strategy.HMM_TRANSPARENT)).isEqualTo("host access is checked here (it was asked for)");
        }
    }

    /// Staged, so that each byte goes by a command and is counted: the direct engine copies what is small with the processor.
    private static Hmm heap(ClApi api, BareOpenCl device, Strategies.Kind kind, boolean beyond) {
        CopyMode copy = kind == Strategies.Kind.TRAP ? CopyMode.DIRECT : CopyMode.STAGED; // kernels fault where the host reaches the device's memory only
        var builder = Hmm.builder().heap(ByteSize.mib(8)).context(api, device.context(), device.device()).openCl(ClOptions.DEFAULTS.copy(copy));
        long budgetBytes = beyond ? ByteSize.kib(512) : 0;
        switch (kind) {
            case CHECKED -> builder.hostAccess(HostAccess.Mode.CHECKED);
            case BEST -> { }
            case PAGED -> budgetBytes = beyond ? budgetBytes : ByteSize.mib(6);
            case TRAP -> builder.deviceFaults().pageSize(4096);
            case IN_PLACE -> builder.placement(PlacementMode.IN_PLACE);
        }
        return (budgetBytes > 0 ? builder.budget(budgetBytes) : builder).open();
    }

    /// @return workloads that it could do
    private static int tryOut(OpenStrategy strategy, RecordingCl recording, boolean beyond) {
        List<Workload> done = new ArrayList<>();
        for (Workload workload : Workload.values()) {
            Work work = Works.of(workload);
            if ((workload == Workload.BEYOND_BUDGET) == beyond && work.impossible(strategy).isEmpty()) {
                for (long size : work.sizes(SIZES, ByteSize.kib(64))) {
                    run(work, strategy, size, recording);
                }
                done.add(workload);
            }
        }
        return done.size();
    }

    private static void run(Work work, OpenStrategy strategy, long size, RecordingCl recording) {
        strategy.take();
        long written = recording.written();
        long read = recording.read();
        long copied = recording.copied();
        try (Work.Task task = work.open(strategy, size)) {
            for (int run = 1; run <= RUNS; run++) {
                task.prepare(run);
                task.run(run, nanos -> assertThat(nanos).isPositive());
                task.after(run);
            }
            task.verify();
        } catch (RuntimeException e) {
            throw new AssertionError(strategy.strategy() + ", " + work.workload() + ", size=" + size + ": " + e.getMessage(), e);
        }
        OpenStrategy.Taken taken = strategy.take();
        written = recording.written() - written;
        read = recording.read() - read;
        copied = recording.copied() - copied;
        switch (strategy.strategy().family()) {
            case COPIES, ZERO_COPY, SVM ->
                assertThat(List.of(taken.bytesToDevice(), taken.bytesToHost(), 0L)).as("%s, %s", strategy.strategy(), work.workload()).isEqualTo(List.of(written, read, copied));
            case PAGING -> checkPaging(strategy.strategy(), taken, written + read + copied);
        }
    }

    /// What comes home is copied by native code, which is not counted.
    private static void checkPaging(Strategy strategy, OpenStrategy.Taken taken, long counted) {
        if (strategy == Strategy.HMM_PAGED) { // entries of the page table and what kernels wrote down go by commands as well
            assertThat(counted).isGreaterThanOrEqualTo(taken.bytesToDevice());
        } else if (strategy == Strategy.HMM_TRAP) { // the operating system copies, and the processor
            assertThat(counted).isZero();
        } else {
            assertThat(counted).isBetween(taken.bytesToDevice(), taken.bytesToDevice() + taken.bytesToHost());
        }
    }
}
