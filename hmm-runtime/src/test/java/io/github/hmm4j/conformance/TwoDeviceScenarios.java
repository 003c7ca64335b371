package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.device.sim.SimLane;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/// The scenarios of the kernel's HMM tests that take two devices (fixture `hmm2`), under the kernel's names.
abstract class TwoDeviceScenarios extends Scenarios {

    TwoDeviceScenarios(Backend backend) {
        super(backend, 2);
    }

    private HmmDevice dev0() {
        return rig.device(0);
    }

    private HmmDevice dev1() {
        return rig.device(1);
    }

    @Test
    void migrate_mixed() {
        MemorySegment buffer = rig.pages(6);
        rig.heap.protect(rig.page(buffer, 0, 1), Protection.NONE);
        assertViolation(AccessViolationException.Kind.FAULT, buffer,
                () -> rig.heap.migrate(rig.page(buffer, 0, 1), dev0())); // -EINVAL
        rig.heap.free(rig.page(buffer, 1, 1));
        assertThatThrownBy(() -> rig.heap.migrate(rig.page(buffer, 0, 3), dev0())).isInstanceOf(IllegalArgumentException.class); // -EINVAL

        rig.touch(rig.page(buffer, 2, 1));
        MemorySegment written = rig.page(buffer, 3, 3);
        rig.writeRamp(written, 30);
        rig.heap.protect(rig.page(buffer, 2, 2), Protection.READ);
        MemorySegment four = rig.page(buffer, 2, 4);
        assertThat(rig.heap.migrate(four, dev1()).count(PageOutcome.MOVED)).isEqualTo(4);

        MigrationReport stolen = rig.heap.migrate(rig.page(buffer, 5, 1), dev0()); // -ENOENT
        assertThat(stolen.allResident()).isFalse();
        rig.assertAllPages(dev1(), rig.page(buffer, 2, 2), localRead());
        rig.assertAllPages(dev1(), rig.page(buffer, 4, 2), localWrite());
        Rig.assertZeros(rig.read(rig.page(buffer, 2, 1)));
        rig.assertHostSeesRamp(written, 30);
    }

    @Test
    void snapshot() {
        MemorySegment buffer = rig.pages(7);
        rig.writeRamp(rig.page(buffer, 3, 4), 3);
        rig.touch(rig.page(buffer, 2, 1));
        rig.heap.protect(rig.page(buffer, 0, 1), Protection.NONE);
        rig.heap.free(rig.page(buffer, 1, 1));
        rig.heap.protect(rig.page(buffer, 2, 2), Protection.READ);
        assertThat(rig.heap.migrate(rig.page(buffer, 5, 1), dev0()).allResident()).isTrue();
        assertThat(rig.heap.migrate(rig.page(buffer, 6, 1), dev1()).allResident()).isTrue();
        assertThat(rig.snap(dev0(), buffer)).containsExactly(SnapshotCode.ERROR, SnapshotCode.ERROR, SnapshotCode.ZERO_READ,
                SnapshotCode.READ, SnapshotCode.WRITE, localWrite(), remoteWrite());
        rig.assertHostSeesRamp(rig.page(buffer, 3, 4), 3);
    }

    @Test
    void double_map() {
        MemorySegment buffer = rig.ramp(6, 0);
        rig.heap.protect(buffer, Protection.READ);
        rig.assertDeviceSeesRamp(dev0(), buffer, 0);
        rig.assertDeviceSeesRamp(dev1(), buffer, 0);
        assertThat(rig.heap.migrate(buffer, dev1()).allResident()).isTrue();
        rig.assertAllPages(dev1(), buffer, localRead());
        rig.assertDeviceSeesRamp(dev0(), buffer, 0);
        rig.assertHostSeesRamp(buffer, 0);
    }

    /// From device to device and back, with a change on each: nothing stale on the way.
    @Test
    void pingPongBetweenDevices() {
        MemorySegment buffer = rig.ramp(16, 0);
        int rounds = 6;
        for (int i = 0; i < rounds; i++) {
            rig.launchAdd(rig.device(i % 2), buffer, 10).await();
        }
        rig.assertDeviceSeesRamp(dev0(), buffer, 10 * rounds);
        rig.assertDeviceSeesRamp(dev1(), buffer, 10 * rounds);
        rig.assertHostSeesRamp(buffer, 10 * rounds);
    }

    /// Two devices that want the same pages for writing at the same time both get them, one after the other.
    @Test
    void bothDevicesWriteTheSamePages() throws InterruptedException {
        MemorySegment buffer = rig.ramp(16, 0);
        int rounds = 20;
        Racers.run(2, device -> {
            for (int i = 0; i < rounds; i++) {
                rig.launchAdd(rig.device(device), buffer, 1).await();
            }
        });
        rig.assertHostSeesRamp(buffer, 2 * rounds);
    }

    /// A kernel that reads a page on one device sees what was there when it was launched, whatever is launched on another device behind it.
    @Test
    void write_while_another_device_reads() {
        needsInjection();
        MemorySegment buffer = rig.ramp(16, 0);
        MemorySegment copied = rig.pages(16);
        rig.sim(0).pause(SimLane.COMPUTE);
        var reading = rig.launchCopy(dev0(), buffer, copied);
        Racers.resumeOnceBlockedOrDone(
                () -> rig.launchFill(dev1(), buffer, 9000).await(),
                () -> rig.sim(0).resume(SimLane.COMPUTE));
        reading.await();
        rig.assertHostSeesRamp(copied, 0);
        rig.assertHostSeesRamp(buffer, 9000);
    }
}
