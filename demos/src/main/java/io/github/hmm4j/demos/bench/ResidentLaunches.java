package io.github.hmm4j.demos.bench;

import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;

/// Launches of an empty kernel whose arguments are all on the device, in turns with the same through bare OpenCL.
final class ResidentLaunches {
    static final Source KERNELS = Source.resource("access.cl");
    static final String KERNEL = "empty3";
    static final int ARGUMENTS = 3;
    private static final long IDLE_NANOS = 50_000;

    private final Kernel.Call call;
    private final BareOpenCl bare;
    private final long kernel;
    private final long[] buffers;

    /// The medians of one run.
    record Micros(double managed, double explicit) {
        double added() {
            return managed - explicit;
        }
    }

    /// @param call    of [#KERNEL]; launched once here, which moves what has to be there
    /// @param buffers one for each argument
    ResidentLaunches(Kernel.Call call, BareOpenCl bare, long... buffers) {
        this.call = call;
        this.bare = bare;
        this.buffers = buffers;
        kernel = bare.kernel(KERNELS, KERNEL);
        call.launch(NDRange.of(1)).await();
    }

    /// @param launches of each kind
    Micros run(int launches) {
        Samples managed = new Samples();
        Samples explicit = new Samples();
        for (int i = 0; i < launches; i++) {
            if (i % 2 == 0) {
                managed.add(managedMicros());
                explicit.add(explicitMicros());
            } else {
                explicit.add(explicitMicros());
                managed.add(managedMicros());
            }
        }
        return new Micros(managed.median(), explicit.median());
    }

    private double managedMicros() {
        letTheDeviceFallIdle();
        long start = System.nanoTime();
        Launch launch = call.launch(NDRange.of(1)).await();
        long nanos = System.nanoTime() - start;
        if (launch.moves().rounds() != 0) {
            throw new IllegalStateException("a launch on resident data moved something: " + launch.moves());
        }
        return nanos / 1e3;
    }

    private double explicitMicros() {
        letTheDeviceFallIdle();
        long start = System.nanoTime();
        for (int i = 0; i < buffers.length; i++) {
            bare.api().setMemory(kernel, i, buffers[i]);
        }
        bare.launch(kernel, NDRange.of(1));
        return (System.nanoTime() - start) / 1e3;
    }

    /// A driver's thread that has just ended a command takes the next one sooner than one that sleeps. Whoever launches first after a command would be measured as the
    /// faster one, whatever it does itself; after a pause both find the same device.
    private static void letTheDeviceFallIdle() {
        long end = System.nanoTime() + IDLE_NANOS;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }
}
