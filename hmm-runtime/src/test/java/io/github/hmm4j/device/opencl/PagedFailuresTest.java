package io.github.hmm4j.device.opencl;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Fails every OpenCL call of a launch that goes through the page table in turn: no byte is wrong afterwards, nothing is locked or claimed, and the same launch again comes to its end.
///
/// Host access is checked, so that all calls are made by Java.
@Tag("elsewhere")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
final class PagedFailuresTest {

    private static final int PAGE = 16384;
    private static final int PAGES = 24;
    private static final int FLOATS = PAGE / Float.BYTES;
    private static final int COUNT = PAGES * FLOATS;
    private static final int BUDGET_PAGES = 24;
    private static final Set<String> HARMLESS = Set.of("releaseEvent", "releaseMemory", "releaseQueue", "releaseContext", "releaseKernel", "releaseProgram", "eventTime", "kernelNumber",
            "kernelBytes", "kernelText");

    /// What is written to and read back while a call fails.
    private static final class Walk {

        private final Hmm hmm;
        private final ManagedHeap heap;
        private final MemorySegment in;
        private final MemorySegment out;
        private final Kernel scale;
        private final Arg written;

        Walk(Hmm hmm, boolean overwrites) {
            this.hmm = hmm;
            heap = hmm.heap();
            in = filled(0);
            out = filled(3);
            scale = hmm.program(Source.resource("paged.cl")).kernel("scale_runs");
            written = overwrites ? Arg.out(out) : Arg.inOut(out);
        }

        private MemorySegment filled(int from) {
            MemorySegment segment = heap.allocate(4L * COUNT, PAGE);
            try (HostView view = heap.view(segment, Access.WRITE)) {
                for (int i = 0; i < COUNT; i++) {
                    view.segment().setAtIndex(JAVA_FLOAT, i, i + from);
                }
            }
            return segment;
        }

        /// Each work-item takes two thirds of a page, so that pages are written in several rounds.
        void launch() {
            int chunk = FLOATS * 2 / 3;
            scale.args(Arg.heap(Arg.in(in), written), in.address(), out.address(), (long) COUNT, chunk, 2f, 1f).launch(NDRange.of(Math.ceilDiv(COUNT, chunk)).local(1));
        }

        float[] contents(MemorySegment segment) {
            try (HostView view = heap.view(segment, Access.READ)) {
                return view.segment().toArray(JAVA_FLOAT);
            }
        }

        /// What a failed kernel was to write is lost, and says so; anything else has its old or its new contents, and an output also what a kernel has not got to.
        void afterFailure(boolean overwrites) {
            List<SnapshotCode> codes = heap.snapshot(out).codes();
            if (codes.contains(SnapshotCode.ERROR)) {
                for (int page = 0; page < codes.size(); page++) {
                    if (codes.get(page) == SnapshotCode.ERROR) {
                        heap.discard(out.asSlice((long) page * PAGE, PAGE));
                    }
                }
                return;
            }
            assertThat(codes).noneMatch(code -> code == SnapshotCode.ERROR);
            float[] found = contents(out);
            for (int i = 0; i < COUNT; i++) {
                boolean known = found[i] == i + 3 || found[i] == 2f * i + 1;
                assertThat(known || overwrites).as("element %d=%s", i, found[i]).isTrue();
            }
        }

        void requireRight() {
            float[] expected = new float[COUNT];
            for (int i = 0; i < COUNT; i++) {
                expected[i] = 2f * i + 1;
            }
            int wrong = Arrays.mismatch(contents(out), expected);
            assertThat(wrong).as("first wrong element of the output").isEqualTo(-1);
            for (int i = 0; i < COUNT; i++) {
                expected[i] = i;
            }
            assertThat(Arrays.mismatch(contents(in), expected)).as("first wrong element of the input").isEqualTo(-1);
            assertThat(hmm.device().usedBytes()).isLessThanOrEqualTo((long) BUDGET_PAGES * PAGE);
        }
    }

    /// What carries pages that lie apart has calls of its own.
    @Test
    void aKernelOfOursThatFailsLeavesBytesAndLocksAsTheyShouldBe() {
        ClOptions options = ClOptions.DEFAULTS.copy(CopyMode.STAGED).scatter(ScatterMode.KERNEL);
        Set<String> methods = methods(options);
        assertThat(methods).contains("createSubBuffer", "enqueueWait", "enqueueKernel", "setValue", "createQueue");
        for (String method : List.of("createSubBuffer", "enqueueWait", "enqueueKernel", "setValue", "createQueue", "createBuffer", "enqueueMarker", "enqueueWrite", "enqueueRead", "flush")) {
            for (int nth = 1; fails(options, method, nth, nth % 2 == 0); nth += nth < 4 ? 1 : nth) {
                methods.remove(method);
            }
        }
        assertThat(methods).as("was failed at least once").doesNotContain("createSubBuffer", "enqueueWait", "enqueueKernel", "setValue");
    }

    /// With the copies that the device would have by itself.
    @Test
    void everyFailedCallLeavesBytesAndLocksAsTheyShouldBe() {
        walk(ClOptions.DEFAULTS);
    }

    @Test
    void everyFailedCallOfStagedCopiesDoes() {
        walk(ClOptions.DEFAULTS.copy(CopyMode.STAGED));
    }

    private static void walk(ClOptions options) {
        Set<String> struck = new TreeSet<>();
        for (String method : methods(options)) {
            for (boolean overwrites : new boolean[] {false, true}) {
                for (int nth = 1; fails(options, method, nth, overwrites); nth += nth < 8 ? 1 : nth / 4) {
                    struck.add(method);
                }
            }
        }
        assertThat(struck).contains("enqueueKernel", "enqueueZero", "flush", "createBuffer", "setMemory", "waitFor")
                .containsAnyOf("enqueueCopy", "enqueueWrite");
    }

    /// What a launch without failures calls.
    private static Set<String> methods(ClOptions options) {
        InterceptedClApi intercepted = new InterceptedClApi(Bindings.load(ClBinding.LWJGL));
        try (Hmm hmm = open(intercepted.api(), options)) {
            Walk walk = new Walk(hmm, true);
            intercepted.fail("nothing", 1);
            walk.launch();
            walk.requireRight();
        }
        Set<String> methods = new TreeSet<>(intercepted.calls().keySet());
        methods.removeAll(HARMLESS);
        return methods;
    }

    private static Hmm open(ClApi api, ClOptions options) {
        ClDevice device = ClDevice.open(api, Bindings.firstDevice(api), options);
        return Hmm.builder().device(device).heap(ByteSize.mib(16)).pageSize(PAGE).budget((long) BUDGET_PAGES * PAGE).hostAccess(HostAccess.Mode.CHECKED).open();
    }

    /// Returns whether there was such a call.
    private static boolean fails(ClOptions options, String method, int nth, boolean overwrites) {
        InterceptedClApi intercepted = new InterceptedClApi(Bindings.load(ClBinding.LWJGL));
        boolean struck;
        try (Hmm hmm = open(intercepted.api(), options)) {
            Walk walk = new Walk(hmm, overwrites);
            intercepted.fail(method, nth);
            boolean failed = false;
            try {
                walk.launch();
            } catch (HmmException e) {
                assertThat(e).isInstanceOf(OpenClFailedException.class);
                failed = true;
            }
            struck = intercepted.calls().getOrDefault(method, 0) >= nth;
            intercepted.fail("nothing", 1);
            if (failed) {
                walk.afterFailure(overwrites);
                walk.launch();
            }
            walk.requireRight();
        } catch (RuntimeException | Error e) {
            throw new AssertionError("%s, overwrites=%s, %s failed at call %d".formatted(options, overwrites, method, nth), e);
        }
        assertThat(intercepted.live()).as("objects alive after %s failed at call %d", method, nth).isZero();
        return struck;
    }
}
