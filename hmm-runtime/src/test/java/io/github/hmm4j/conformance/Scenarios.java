package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.mirror.SnapshotCode;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// What all scenario suites share: a fresh heap for each test, in each shape, and a limit on how long a test may hang.
@ParameterizedClass
@EnumSource
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class Scenarios {

    /// The engine that the first heap has found best: a thousand heaps need not look for it again.
    private static volatile CopyMode copies = CopyMode.AUTO;

    final Backend backend;
    private final int devices;

    @Parameter
    Shape shape;

    Rig rig;

    Scenarios(Backend backend, int devices) {
        this.backend = backend;
        this.devices = devices;
    }

    @BeforeEach
    void open() {
        if (backend.hasReins()) {
            EmulatedGpu.reset();
        }
        rig = newRig();
        assumeTrue(rig.hmm.devices().size() >= devices, "there are fewer OpenCL devices than " + devices);
    }

    @AfterEach
    void close() {
        if (rig == null) { // what is asked for cannot be had here
            return;
        }
        rig.close();
        if (backend.hasReins()) {
            Rig.assertObjectsLeft(0, "a test");
        }
    }

    final Rig newRig() {
        HmmBuilder builder = backend.builder(devices).heap(shape.heapBytes).pageSize(shape.pageBytes).budget(shape.budgetBytes);
        if (backend.hasReins() && !backend.isInPlace()) {
            return new Rig(builder); // it has its engine
        }
        Rig opened = new Rig(builder.copy(copies));
        copies = CopyMode.of(opened.device(0).copyEngine());
        return opened;
    }

    /// A page that `device` alone holds, as that device sees it.
    final SnapshotCode localWrite() {
        return SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE;
    }

    final SnapshotCode localRead() {
        return SnapshotCode.DEVICE_PRIVATE_LOCAL_READ;
    }

    /// What of a report was fetched because the host touched it.
    final long touchedPages(Report report) {
        return report.count(Counter.VIEW_FETCHED_PAGES) + report.count(Counter.FAULT_FETCHED_PAGES);
    }

    /// A touch of the host that the protection forbids: code that opens a view is told which page it was, a plain load or store is answered as for a file that was cut off.
    final void assertTouchForbidden(AccessViolationException.Kind kind, MemorySegment firstPage, ThrowingCallable touch) {
        if (backend.isTransparent()) {
            assertThatThrownBy(touch).isInstanceOf(InternalError.class);
        } else {
            assertViolation(kind, firstPage, touch);
        }
    }

    /// A touch of the host where there is no region.
    /// The page refuses a touch, whoever touches it; and so does the segment, once it is not alive any more.
    final void assertGone(MemorySegment freed) {
        if (!backend.isTransparent()) {
            assertThatThrownBy(() -> rig.touch(freed)).isInstanceOf(IllegalArgumentException.class);
            return;
        }
        assertThatThrownBy(() -> rig.touch(MemorySegment.ofAddress(freed.address()).reinterpret(freed.byteSize()))).isInstanceOf(InternalError.class);
        assertThatThrownBy(() -> rig.touch(freed)).isInstanceOf(freed.scope().isAlive() ? InternalError.class : IllegalStateException.class);
    }

    static void assertViolation(AccessViolationException.Kind kind, MemorySegment firstPage, ThrowingCallable access) {
        assertThatThrownBy(access).isInstanceOfSatisfying(AccessViolationException.class, violation -> {
            assertThat(violation.kind()).isEqualTo(kind);
            assertThat(violation.addressBytes()).isEqualTo(firstPage.address());
        });
    }

    final void needsTransparency() {
        assumeTrue(backend.isTransparent(), "with checked access there is no address to give away");
    }

    final void needsReins() {
        assumeTrue(backend.hasReins(), "only emulated GPUs can be held, and made to fail");
    }

    /// Asserts that pages which count against the budget are as many as before, where frames are counted one by one.
    final void assertUsedPages(int expected) {
        if (shape == Shape.WINDOWS) {
            assertThat(rig.device(0).usedBytes()).isEqualTo((long) expected * rig.pageBytes());
        }
    }
}
