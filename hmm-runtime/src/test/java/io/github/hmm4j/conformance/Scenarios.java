package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.mirror.SnapshotCode;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// What all scenario suites share: a fresh heap for each test, in each shape, and a limit on how long a test may hang.
@ParameterizedClass
@EnumSource
@ExtendWith(Skips.class)
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class Scenarios {

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
        rig = newRig();
        assumeTrue(rig.hmm.devices().size() >= devices, "there are fewer OpenCL devices than " + devices);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    final Rig newRig() {
        return new Rig(backend.builder(devices).heap(shape.heapBytes).pageSize(shape.pageBytes).budget(shape.budgetBytes));
    }

    /// A page that `device` alone holds, as that device sees it.
    final SnapshotCode localWrite() {
        return backend.isCoherent() ? SnapshotCode.DEVICE_COHERENT_LOCAL_WRITE : SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE;
    }

    final SnapshotCode localRead() {
        return backend.isCoherent() ? SnapshotCode.DEVICE_COHERENT_LOCAL_READ : SnapshotCode.DEVICE_PRIVATE_LOCAL_READ;
    }

    /// The same page as another device sees it.
    final SnapshotCode remoteWrite() {
        return backend.isCoherent() ? SnapshotCode.DEVICE_COHERENT_REMOTE_WRITE : SnapshotCode.NONE;
    }

    /// A page of a device that the host has read through a view: shared, unless the host can read it in place.
    final SnapshotCode afterHostRead() {
        return backend.isCoherent() ? SnapshotCode.DEVICE_COHERENT_LOCAL_WRITE : SnapshotCode.READ;
    }

    final void needsInjection() {
        assumeTrue(backend.isSimulated(), "failures are injected into simulated devices only");
    }

    final void needsMemoryOfItsOwn() {
        assumeTrue(!backend.isCoherent(), "a coherent device allocates and copies nothing");
    }

    /// Asserts that pages which count against the budget are as many as before, where frames are counted one by one.
    final void assertUsedPages(int expected) {
        if (shape == Shape.WINDOWS && !backend.isCoherent()) {
            assertThat(rig.device(0).usedBytes()).isEqualTo((long) expected * rig.pageBytes());
        }
    }
}
