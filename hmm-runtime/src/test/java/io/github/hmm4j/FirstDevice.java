package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceInfo.Svm;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.InPlaceMode;
import io.github.hmm4j.error.InPlaceUnavailableException;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.opentest4j.TestAbortedException;

/// The device that tests run on which ask for none.
public final class FirstDevice {

    private FirstDevice() {}

    /// Whether kernels use host memory where it is, so that they can fault. Those of a Mali share the host's memory, but what they are given of it by an address is a copy.
    public static boolean worksInHostMemory() {
        try (Hmm any = Hmm.builder().heap(ByteSize.mib(2)).open()) {
            DeviceInfo info = any.device().info();
            return info.unifiedMemory() && !info.name().toLowerCase(Locale.ROOT).contains("mali");
        }
    }

    /// What a test ends with that cannot have pages in place: it is skipped where the device works in memory of its own, or its kernels end their loops before they could show more (llvmpipe's, on a busy
    /// machine); on others it has to have them.
    public static RuntimeException without(InPlaceUnavailableException e) {
        return worksInHostMemory() && !String.valueOf(e.getMessage()).contains("end loops early") ? e : new TestAbortedException(e.getMessage(), e);
    }

    /// Whether kernels can be given host pages in this way at all. Those of POCL's processors take any address, although they do not say so.
    public static boolean offers(InPlaceMode inPlace) {
        return switch (inPlace) {
            case AUTO, WRAPPED -> true;
            case ADDRESS -> info().svm().contains(Svm.FINE_GRAIN_SYSTEM) || (info().kind() == DeviceInfo.Kind.CPU && isPocl());
            case BUFFER -> info().svm().contains(Svm.FINE_GRAIN_BUFFER);
        };
    }

    public static boolean isPocl() {
        return info().driver().contains("PoCL");
    }

    /// Whether the driver answers questions about a kernel's event while the kernel runs. Rusticl 22.3 does so once it has ended, so nobody can stop waiting for it before.
    public static boolean tellsOfRunningKernels() {
        return !chosen().platformName().equals("rusticl");
    }

    /// Whether a kernel goes through a loop as often as its source says: llvmpipe's leave all loops of a work-item after 65,535 rounds, and so compute something else.
    public static boolean runsLongLoops() {
        return LongLoops.RUN;
    }

    /// Whether kernels can compute with `double`, which not all GPUs do.
    public static boolean computesInDoubles() {
        return Doubles.THERE;
    }

    private static final class Doubles {

        private static final boolean THERE = builds("kernel void doubles(global double *a) { a[0] *= 2; }");

        private static boolean builds(String text) {
            try (Hmm any = Hmm.builder().heap(ByteSize.mib(2)).open()) {
                any.program(Source.text("doubles.cl", text)).kernel("doubles");
                return true;
            } catch (KernelBuildException _) {
                return false;
            }
        }
    }

    private static final class LongLoops {

        private static final int MANY = 100_000;
        private static final boolean RUN = roundsOf(MANY) == MANY;

        private static int roundsOf(int asked) {
            Source source = Source.text("rounds.cl", "kernel void rounds(global int *count, int asked) { for (int i = 0; i < asked; i++) count[0]++; }");
            try (Hmm any = Hmm.builder().heap(ByteSize.mib(2)).open()) {
                MemorySegment count = any.heap().allocate(JAVA_INT);
                any.program(source).kernel("rounds").args(count, asked).launch(NDRange.of(1)).await();
                try (HostView view = any.heap().view(count, Access.READ)) {
                    return view.segment().get(JAVA_INT, 0);
                }
            }
        }
    }

    private static DeviceInfo info() {
        return chosen().info();
    }

    private static ClDeviceId chosen() {
        return OpenClDevices.choose(OpenClDevices.list(ClBinding.LWJGL), "");
    }
}
