package io.github.hmm4j.demos.devices;

import io.github.hmm4j.demos.harness.DeviceReport.Decision;
import io.github.hmm4j.demos.harness.DeviceReport.Use;
import io.github.hmm4j.demos.report.Units;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.InPlace;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.Overlap;
import java.util.List;

/// What hmm4j does with a device, and why: the choices as the heap that was opened made them, the reasons in words.
final class Decisions {
    private Decisions() {}

    /// @param inPlace whether kernels have proven to use host pages where they are
    /// @param overlap whether pages were seen to come home beside a kernel
    static List<Decision> of(DeviceInfo info, Use use, InPlace inPlace, Overlap overlap) {
        return List.of(
            new Decision("copies", "%s, %s MB/s to the device, %s MB/s to the host".formatted(use.copyEngine(),
                Units.count(use.toDeviceMegabytesPerSecond()), Units.count(use.toHostMegabytesPerSecond())),
                use.copyEngineWhy()),
            inPlace(inPlace),
            placement(info, use),
            new Decision("budget", Units.bytes(use.budgetBytes()) + " of its memory",
                "what is free less 400 MiB (less a quarter, if that is less) for staging, page tables and buffers of others"
                    + (info.unifiedMemory() ? ", at most half of all: the host needs that memory too" : "") + "; --budget says otherwise"),
            queues(overlap),
            new Decision("host access", use.hostAccess(), use.hostAccessWhy()));
    }

    /// @param behind whether the other one is taken unless this one is asked for
    static Decision twin(int number, ClDeviceId other, ClDeviceId id, boolean behind) {
        boolean byMaker = other.hardware().makersDriver() != id.hardware().makersDriver();
        return new Decision("twin", "the same device as number " + number + " of " + other.platformName()
            + (behind ? ", which is taken unless --device says otherwise" : ", which is taken only if --device says so"),
            byMaker ? "the driver of its maker goes before others" : "of two such drivers the first goes before the other");
    }

    private static Decision queues(Overlap overlap) {
        return new Decision("queues", "two in order: one for kernels, one for copies",
            (overlap.proven() ? "a page comes home while a kernel that does not use it runs (" : "but a page waits for any kernel that runs, also one that does not use it (")
                + overlap.why() + "); hmm4j orders the rest itself");
    }

    private static Decision inPlace(InPlace tried) {
        return tried.proven()
            ? new Decision("in place", "on request: -Dhmm.placement=in_place, HmmBuilder.placement", tried.why())
            : new Decision("in place", "no: pages migrate", "kernels do not use the heap's host pages: " + tried.why());
    }

    private static Decision placement(DeviceInfo info, Use use) {
        String heap = Units.bytes(use.heapBytes());
        if (use.placement().equals("aperture")) {
            return new Decision("placement", "aperture: kernels may follow pointers",
                "the default heap of " + heap + " fits the budget in one allocation");
        }
        boolean budget = use.heapBytes() > use.budgetBytes();
        return new Decision("placement", "windows: each kernel argument gets memory of its own",
            "the default heap of %s exceeds %s of %s; a smaller heap lets kernels follow pointers".formatted(heap,
                budget ? "the budget" : "the largest allocation",
                Units.bytes(budget ? use.budgetBytes() : info.maxAllocationBytes())));
    }
}
