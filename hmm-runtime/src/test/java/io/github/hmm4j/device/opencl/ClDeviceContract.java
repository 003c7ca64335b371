package io.github.hmm4j.device.opencl;

import static io.github.hmm4j.device.HostRange.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceContract;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.KernelParameter.Space;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.kernels.Source;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The contract over a real driver, and what only a compiler and a driver can show.
abstract class ClDeviceContract extends DeviceContract {

    private final ClBinding binding;
    private final CopyMode mode;
    private final ScatterMode scatter;
    private InterceptedClApi intercepted;

    ClDeviceContract(ClBinding binding, CopyMode mode) {
        this(binding, mode, ScatterMode.AUTO);
    }

    ClDeviceContract(ClBinding binding, CopyMode mode, ScatterMode scatter) {
        this.binding = binding;
        this.mode = mode;
        this.scatter = scatter;
    }

    private ClOptions options() {
        return ClOptions.DEFAULTS.copy(mode).scatter(scatter);
    }

    @Override
    protected Device open() {
        if (intercepted == null) {
            intercepted = new InterceptedClApi(Bindings.load(binding));
        }
        ClApi api = intercepted.api();
        if (mode == CopyMode.DIRECT) {
            Bindings.assumeWorksInHostMemory(api);
        }
        return ClDevice.open(api, Bindings.firstDevice(api), options().profiling(true));
    }

    @Override
    protected long liveObjects() {
        return intercepted.live();
    }

    @Test
    void usesTheEngineAskedFor() {
        assertThat(engine().name()).isEqualTo(mode.toString());
        CopyChoice choice = ((ClDevice) device()).copyChoice();
        assertThat(choice.name()).isEqualTo(mode.toString());
        assertThat(choice.why()).isEqualTo("asked for");
        assertThat(choice.toDeviceMegabytesPerSecond()).isPositive();
        assertThat(choice.toHostMegabytesPerSecond()).isPositive();
        assertThat(device().info().binding()).isEqualTo(binding.toString());
    }

    @Test
    void aBrokenKernelNamesTheRealFileAndLine(@TempDir Path folder) throws IOException {
        Path header = Files.writeString(folder.resolve("broken.clh"), "int fine;\nint broken(\n");
        Path file = Files.writeString(folder.resolve("broken.cl"),
                "// one\n#include \"broken.clh\"\nkernel void k(global int *a) { }\n");
        assertThatExceptionOfType(KernelBuildException.class)
                .isThrownBy(() -> device().build(Source.file(file), "-cl-std=CL1.2"))
                .satisfies(e -> assertThat(e.log()).contains(header.getFileName() + ":"))
                .withMessageContaining("source=" + file).withMessageContaining("-cl-std=CL1.2");
        Source text = Source.text("own.cl", "\n\nkernel void k(global int *a) { a[0] = missing; }\n");
        assertThatExceptionOfType(KernelBuildException.class).isThrownBy(() -> device().build(text, ""))
                .withMessageContaining("own.cl:3:");
    }

    @Test
    void aBadOptionIsABuildError() {
        Source source = Source.text("own.cl", "kernel void k(global int *a) { }");
        assertThatExceptionOfType(KernelBuildException.class)
                .isThrownBy(() -> device().build(source, "-no-such-option"))
                .withMessageContaining("-no-such-option");
    }

    @Test
    void passesOptionsToTheCompiler() {
        Source source = Source.text("own.cl", "kernel void k(global int *a) { a[0] = ANSWER; }");
        DeviceMemory memory = zeroed(1);
        try (var program = device().build(source, "-DANSWER=42")) {
            program.kernel("k").launch(List.of(new KernelArgument.Memory(memory)),
                    NDRange.of(1)).await();
        }
        assertThat(read(memory, 1)[0]).isEqualTo(42);
    }

    @Test
    void aDriversErrorNamesTheKernelAndItsRange() {
        DeviceMemory memory = zeroed(1);
        intercepted.fail("enqueueKernel", 1);
        assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(() -> fill(memory, 1, 1))
                .withMessageContaining("kernel=fill").withMessageContaining("range=[1024]").withMessageContaining("device=" + device());
        fill(memory, 1, 1).await();
    }

    @Test
    void refusesWhatADriverTakesForAnImageOrASampler() {
        Source source = Source.text("objects.cl", """
                typedef image2d_t picture;
                kernel void images(read_only image2d_t a, sampler_t s, write_only image3d_t b, picture c, global int *p) { }
                """);
        DeviceMemory memory = zeroed(1);
        var pointer = new KernelArgument.Memory(memory);
        var number = new KernelArgument.Value(MemorySegment.ofArray(new long[1]));
        try (var program = device().build(source, "-cl-std=CL1.2")) {
            DeviceKernel images = program.kernel("images");
            assertThat(images.parameters()).extracting(KernelParameter::space)
                    .containsExactly(Space.OBJECT, Space.OBJECT, Space.OBJECT, Space.OBJECT, Space.GLOBAL);
            for (KernelArgument argument : List.of(pointer, number, new KernelArgument.Local(8))) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> images.launch(List.of(argument, argument, argument, argument, pointer), NDRange.of(1)))
                        .withMessageContaining("kernel=images").withMessageContaining("image2d_t a");
            }
        }
    }

    @Test
    void addsLocalMemoryThatAKernelDeclaresItself() {
        Source source = Source.text("local.cl", """
                kernel void own(global int *out, local int *more) {
                    local int own[256];
                    own[get_local_id(0)] = 5;
                    barrier(CLK_LOCAL_MEM_FENCE);
                    more[0] = own[0];
                    out[0] = more[0];
                }
                """);
        DeviceMemory memory = zeroed(1);
        try (var program = device().build(source, "-cl-std=CL1.2")) {
            DeviceKernel own = program.kernel("own");
            own.launch(List.of(new KernelArgument.Memory(memory), new KernelArgument.Local(4)), NDRange.of(1)).await();
            assertThat(read(memory, 1)[0]).isEqualTo(5);
            assumeTrue(own.limits().ownLocalBytes() > 0, "the driver is not known to tell local memory"); // by JUnit: AssertJ would need a library that no bundle has
            assertThat(own.limits().ownLocalBytes()).isGreaterThanOrEqualTo(1024);
            long left = own.limits().localBytes() - own.limits().ownLocalBytes();
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> own.launch(List.of(new KernelArgument.Memory(memory), new KernelArgument.Local(left + 1)), NDRange.of(1)))
                    .withMessageContaining("CL_KERNEL_LOCAL_MEM_SIZE=" + own.limits().ownLocalBytes());
        }
    }

    /// A driver may say less of a kernel than it takes (Rusticl: the width of a subgroup): what the language promises must run.
    @Test
    void runsWorkGroupsAndLocalMemoryThatEveryDeviceHas() {
        Source source = Source.text("groups.cl", """
                kernel void turned(global int *out) {
                    local int tile[6000];
                    const int me = get_local_id(0);
                    const int items = get_local_size(0);
                    tile[me] = me;
                    tile[5000 + me] = items;
                    barrier(CLK_LOCAL_MEM_FENCE);
                    out[get_global_id(0)] = tile[items - 1 - me] + tile[5000];
                }
                """);
        int items = 64;
        DeviceMemory memory = zeroed(1);
        try (var program = device().build(source, "-cl-std=CL1.2")) {
            program.kernel("turned").launch(List.of(new KernelArgument.Memory(memory)), NDRange.of(2 * items).local(items)).await();
        }
        int[] found = read(memory, 1);
        for (int i = 0; i < 2 * items; i++) {
            assertThat(found[i]).as("item %d", i).isEqualTo(items - 1 - i % items + items);
        }
    }

    @Test
    void knowsHowLongALaunchTook() {
        Completion completion = fill(zeroed(1), 1, 1);
        completion.await();
        assertThat(completion.deviceNanos()).isPositive();
    }

    @Test
    void aTebibyteOfUntouchedHostPagesCostsNothing(@TempDir Path folder) throws IOException {
        long length = 1L << 40;
        try (Arena arena = Arena.ofShared();
                FileChannel file = FileChannel.open(folder.resolve("sparse"), StandardOpenOption.CREATE,
                        StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemorySegment reserved = file.map(FileChannel.MapMode.READ_WRITE, 0, length, arena);
            long before = residentKilobytes();
            DeviceMemory memory = device().allocate(2L * PAGE);
            try (CopyEngine engine = device().copyEngine(reserved.address(), length)) {
                for (long place = 0; place < length; place += length / 16) {
                    // Across the border of two windows, too.
                    long offset = Math.max(0, place - PAGE);
                    reserved.asSlice(offset, 2 * PAGE).fill((byte) (place >> 36));
                    engine.toDevice(List.of(new CopyRun(reserved.address() + offset, memory, 0, 2 * PAGE))).await();
                    reserved.asSlice(offset, 2 * PAGE).fill((byte) -1);
                    engine.toHost(List.of(new CopyRun(reserved.address() + offset, memory, 0, 2 * PAGE))).await();
                    assertThat(reserved.get(ValueLayout.JAVA_BYTE, offset)).isEqualTo((byte) (place >> 36));
                    assertThat(reserved.get(ValueLayout.JAVA_BYTE, offset + 2 * PAGE - 1))
                            .isEqualTo((byte) (place >> 36));
                }
            }
            assertThat(residentKilobytes() - before).as("KiB more in memory").isLessThan(256 << 10);
        }
    }

    @Test
    @Timeout(500)
    void everyCallMayFailOnce() {
        for (FailedCall failed : calls()) {
            var api = new InterceptedClApi(Bindings.load(binding));
            ClDeviceId id = Bindings.firstDevice(api.api());
            api.fail(failed.method(), failed.n());
            try {
                new Walk(api.api(), id, options()).run();
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("after failing " + failed, e);
            }
            assertThat(api.live()).as("live objects after failing %s", failed).isZero();
        }
    }

    private record FailedCall(String method, int n) {}

    /// The last calls of every method in a walk; not releases, which cannot be made good.
    private List<FailedCall> calls() {
        var api = new InterceptedClApi(Bindings.load(binding));
        ClDeviceId id = Bindings.firstDevice(api.api());
        api.fail("", 0);
        new Walk(api.api(), id, options()).run();
        assertThat(api.calls().containsKey("enqueueWait")).as("copies by a kernel").isEqualTo(scatter == ScatterMode.KERNEL);
        List<FailedCall> failed = new ArrayList<>();
        api.calls().forEach((method, count) -> {
            for (int n = 1; n <= count; n++) {
                if (!method.startsWith("release") && !method.equals("binding") && n > count - 8) {
                    failed.add(new FailedCall(method, n));
                }
            }
        });
        return failed;
    }

    private static long residentKilobytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst().orElseThrow();
    }
}
