package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.junit.jupiter.api.Assertions.assertAll;

import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.ScalarType;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.ProgramCache;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.space.Protection;
import io.github.hmm4j.timeline.TraceFile;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/// A null is told by the name of what it was passed for, before anything has happened.
@Timeout(60)
@SuppressWarnings("NullAway") // passes what must not be passed
class NullArgumentsTest {

    private final Rig rig = Rig.windows(1, 16);
    private final ManagedHeap heap = rig.heap;
    private final MemorySegment a = rig.filled(2, 1);
    private final List<Executable> all = new ArrayList<>();

    @AfterEach
    void nothingHasHappened() {
        assertThat(heap.residency(a).hostBytes()).isEqualTo(2L * Rig.PAGE);
        heap.view(a, Access.WRITE).close(); // no other view is open, and nothing is protected
        heap.free(a);
        rig.close(); // tells mirrors of the end
    }

    private void refuses(String name, ThrowingCallable call) {
        all.add(() -> assertThatNullPointerException().as(name).isThrownBy(call).withMessage(name));
    }

    @Test
    void memory() {
        HmmDevice device = rig.device(0);
        refuses("segment", () -> heap.free(null));
        refuses("segment", () -> heap.move(null));
        refuses("segment", () -> heap.protect(null, Protection.READ));
        refuses("protection", () -> heap.protect(a, null));
        refuses("segment", () -> heap.discard(null));
        refuses("segment", () -> heap.fill(null, (byte) 0));
        refuses("from", () -> heap.copy(null, a));
        refuses("to", () -> heap.copy(a, null));
        refuses("device", () -> heap.lease(null, a, Arg.Intent.IN));
        refuses("segment", () -> heap.lease(device, null, Arg.Intent.IN));
        refuses("intent", () -> heap.lease(device, a, null));
        refuses("segment", () -> heap.view(null, Access.READ));
        refuses("access", () -> heap.view(a, null));
        refuses("segment", () -> heap.sharedView(null, Access.WRITE));
        refuses("access", () -> heap.sharedView(a, null));
        refuses("segment", () -> heap.pin(null, Access.READ));
        refuses("segment", () -> heap.prefetch(null, device));
        refuses("device", () -> heap.prefetch(a, null));
        refuses("device", () -> heap.migrate(a, null));
        refuses("segment", () -> heap.prefetchHost(null));
        refuses("segment", () -> heap.snapshot(null));
        refuses("device", () -> heap.snapshot(a, null));
        refuses("device", () -> heap.deviceTable(null, a));
        refuses("segment", () -> heap.deviceTable(device, null));
        refuses("segment", () -> heap.place(null, device, PlacementMode.AUTO));
        refuses("device", () -> heap.place(a, null, PlacementMode.AUTO));
        refuses("mode", () -> heap.place(a, device, null));
        refuses("access", () -> heap.pin(a, null));
        refuses("segment", () -> heap.residency(null));
        refuses("segment", () -> heap.mirror(null, new ReentrantLock(), _ -> {}));
        refuses("lock", () -> heap.mirror(a, null, _ -> {}));
        refuses("callback", () -> heap.mirror(a, new ReentrantLock(), null));
        refuses("file", () -> HeapIo.readFile(heap, null));
        refuses("to", () -> HeapIo.write(heap, a, null));
        refuses("from", () -> HeapIo.write(heap, null, Channels.newChannel(new ByteArrayOutputStream())));
        refuses("from", () -> HeapIo.read(heap, null, a));
        assertAll(all);
    }

    @Test
    void kernels() {
        Kernel add = rig.kernel("add");
        NDRange range = NDRange.of(1);
        refuses("source", () -> rig.hmm.program(null));
        refuses("options", () -> rig.hmm.program(Source.text("a.cl", ""), null));
        refuses("device", () -> rig.hmm.evictAll(null));
        refuses("name", () -> Source.resource(null));
        refuses("owner", () -> Source.resource(null, "a.cl"));
        refuses("name", () -> Source.resource(Rig.class, null));
        refuses("file", () -> Source.file(null));
        refuses("code", () -> Source.text("a.cl", null));
        refuses("names", () -> add.reads((String[]) null));
        refuses("indexes", () -> add.writes((int[]) null));
        refuses("arguments", () -> add.args((Object[]) null));
        refuses("launches", () -> add.args(a, 1, 1).after((Launch[]) null));
        refuses("launches[0]", () -> add.args(a, 1, 1).after((Launch) null));
        refuses("range", () -> add.args(a, 1, 1).launch(null));
        refuses("device", () -> add.args(a, 1, 1).launch(range, null));
        refuses("device", () -> add.limits(null));
        refuses("segment", () -> Arg.in(null));
        refuses("value", () -> Arg.value(null));
        refuses("components", () -> Arg.vector((Number[]) null));
        refuses("components[1]", () -> Arg.vector(1, null));
        refuses("ranges", () -> Arg.heap((Arg[]) null));
        refuses("ranges[0]", () -> Arg.heap((Arg) null));
        refuses("global", () -> NDRange.of((long[]) null));
        refuses("local", () -> range.local((long[]) null));
        refuses("offset", () -> range.offset((long[]) null));
        refuses("atLeast", () -> NDRange.covering(null, 1));
        refuses("local", () -> NDRange.covering(new long[] {1}, (long[]) null));
        refuses("earlier", () -> rig.hmm.report().since(null));
        refuses("counter", () -> rig.hmm.report().count(null));
        refuses("device", () -> heap.residency(a).onDevice(null));
        refuses("name", () -> rig.hmm.program(Source.text("a.cl", "")).kernel(null));
        refuses("number", () -> ScalarType.of(null));
        assertAll(all);
    }

    @Test
    void opening() {
        HmmBuilder builder = Hmm.builder();
        refuses("binding", () -> builder.binding(null));
        refuses("selector", () -> builder.device((String) null));
        refuses("device", () -> builder.device((Device) null));
        refuses("api", () -> builder.context(null, 1, 1));
        refuses("options", () -> builder.openCl(null));
        refuses("mode", () -> builder.copy(null));
        refuses("cache", () -> builder.programs(null));
        refuses("policy", () -> builder.eviction(null));
        refuses("policy", () -> builder.ahead(null));
        refuses("launchTimeout", () -> builder.launchTimeout(null));
        refuses("touchTimeout", () -> builder.touchTimeout(null));
        refuses("mode", () -> builder.hostAccess(null));
        refuses("mode", () -> builder.placement(null));
        refuses("file", () -> builder.trace((Path) null));
        refuses("file", () -> TraceFile.create(null));
        refuses("folder", () -> ProgramCache.in(null));
        refuses("copy", () -> ClOptions.DEFAULTS.copy(null));
        refuses("programs", () -> ClOptions.DEFAULTS.programs(null));
        refuses("binding", () -> OpenClDevices.list(null));
        refuses("found", () -> OpenClDevices.choose(null, ""));
        refuses("selector", () -> OpenClDevices.choose(List.of(), null));
        refuses("found", () -> OpenClDevices.insteadOf(null, null));
        refuses("id", () -> OpenClDevices.insteadOf(List.of(), null));
        assertAll(all);
    }
}
