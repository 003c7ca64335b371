package io.github.hmm4j.demos.micro;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.kernels.Source;
import java.util.stream.LongStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// A kernel that does nothing, launched and awaited on the default device with all of its three arguments there.
///
/// Mostly the driver's time, and on a CPU device that of its threads, which are to be woken: look at the difference.
@State(Scope.Thread)
public class Launches {
    private static final Source SOURCE = Source.resource("access.cl");
    private static final String KERNEL = "empty3";
    private static final int ARGUMENTS = 3;
    private static final long ARGUMENT_BYTES = ByteSize.mib(1);
    private static final long LARGE_ARGUMENT_BYTES = ByteSize.mib(16);
    private static final long READ_WRITE = 1;
    private static final long[] ONE = {1};
    private static final long[] DRIVERS_CHOICE = {};

    private final Hmm hmm = Hmm.builder().heap(ByteSize.mib(64)).open();
    private final Kernel.Call call = call(ARGUMENT_BYTES);
    private final Kernel.Call large = call(LARGE_ARGUMENT_BYTES);

    private final ClApi api = OpenClDevices.api(ClBinding.LWJGL);
    private final ClDeviceId id = OpenClDevices.choose(OpenClDevices.list(ClBinding.LWJGL), "");
    private final long context = api.createContext(id.platform(), id.device());
    private final long queue = api.createQueue(context, id.device(), false);
    private final long program = api.createProgram(context, SOURCE.text());
    private final long kernel;
    private final long[] buffers;

    /// Moves the managed arguments to the device.
    public Launches() {
        call.launch(NDRange.of(1)).await();
        large.launch(NDRange.of(1)).await();
        if (!api.build(program, id.device(), "")) {
            throw new IllegalStateException("does not compile: " + api.buildLog(program, id.device()));
        }
        kernel = api.createKernel(program, KERNEL);
        buffers = LongStream.range(0, ARGUMENTS)
            .map(_ -> api.createBuffer(context, READ_WRITE, ARGUMENT_BYTES, 0)).toArray();
    }

    @TearDown
    public void close() {
        for (long buffer : buffers) {
            api.releaseMemory(buffer);
        }
        api.releaseKernel(kernel);
        api.releaseProgram(program);
        api.releaseQueue(queue);
        api.releaseContext(context);
        hmm.close();
    }

    @Benchmark
    @Measures("the floor of a launch: set three arguments, enqueue, flush and wait through bare OpenCL")
    public void bareOpenCl() {
        for (int i = 0; i < ARGUMENTS; i++) {
            api.setMemory(kernel, i, buffers[i]);
        }
        long event = api.enqueueKernel(queue, kernel, ONE, DRIVERS_CHOICE);
        api.flush(queue);
        api.waitFor(event);
        api.releaseEvent(event);
    }

    @Benchmark
    @Measures("the same launch through hmm4j, with the arguments on the device and nothing to move")
    public Launch resident() {
        return resident(call);
    }

    @Benchmark
    @Measures("the same with arguments of 256 pages in place of 16: what is more is the price of 720 pages")
    public Launch residentManyPages() {
        return resident(large);
    }

    private Kernel.Call call(long argumentBytes) {
        return hmm.program(SOURCE).kernel(KERNEL).args(hmm.heap().allocate(argumentBytes), hmm.heap().allocate(argumentBytes),
            hmm.heap().allocate(argumentBytes));
    }

    private static Launch resident(Kernel.Call call) {
        Launch launch = call.launch(NDRange.of(1)).await();
        if (launch.moves().rounds() != 0) {
            throw new IllegalStateException("a launch on resident data moved something: " + launch.moves());
        }
        return launch;
    }
}
