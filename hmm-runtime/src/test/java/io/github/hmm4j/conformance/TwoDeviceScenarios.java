package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.Launch;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
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
                SnapshotCode.READ, SnapshotCode.WRITE, localWrite(), SnapshotCode.NONE);
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
        needsReins();
        MemorySegment buffer = rig.ramp(16, 0);
        MemorySegment copied = rig.pages(16);
        rig.launchCopy(dev0(), buffer, copied).await(); // what makes room on the device must not be held
        rig.writeRamp(copied, 7);
        rig.heap.prefetch(copied, dev0());
        rig.gpu(0).hold(Engine.COMPUTE);
        var reading = rig.launchCopy(dev0(), buffer, copied);
        Racers.resumeOnceBlockedOrDone(
                () -> rig.launchFill(dev1(), buffer, 9000).await(),
                () -> rig.gpu(0).resume(Engine.COMPUTE));
        reading.await();
        rig.assertHostSeesRamp(copied, 0);
        rig.assertHostSeesRamp(buffer, 9000);
    }

    // ---- from device to device, without the host: where native code moves pages

    private void needsPeers() {
        assumeTrue(rig.isTransparent() && !rig.isInPlace(), "pages go through the host here");
    }

    private long moved(Counter counter, Runnable what) {
        long before = rig.count(counter);
        what.run();
        return rig.count(counter) - before;
    }

    /// Pages that a kernel of the first device has written, and both have read since.
    private MemorySegment readByBoth(int start) {
        MemorySegment buffer = rig.ramp(16, 0);
        MemorySegment copied = rig.pages(16);
        rig.launchFill(dev0(), buffer, start).await();
        rig.launchCopy(dev1(), buffer, copied).await();
        rig.assertHostSeesRamp(copied, start);
        return buffer;
    }

    @Test
    void readsWhatAnotherDeviceWroteWithoutTheHost() {
        needsPeers();
        MemorySegment buffer = rig.ramp(16, 0);
        MemorySegment copied = rig.pages(16);
        rig.launchFill(dev0(), buffer, 300).await();
        assertThat(moved(Counter.MIGRATE_TO_HOST_PAGES, () ->
                assertThat(moved(Counter.MIGRATE_PEER_PAGES, () -> rig.launchCopy(dev1(), buffer, copied).await())).isEqualTo(16))).isZero();
        rig.assertAllPages(dev0(), buffer, SnapshotCode.DEVICE_PRIVATE_LOCAL_READ);
        rig.assertAllPages(dev1(), buffer, SnapshotCode.DEVICE_PRIVATE_LOCAL_READ);
        assertThat(rig.heap.residency(buffer).sharedBytes()).isEqualTo(buffer.byteSize());
        assertThat(moved(Counter.MIGRATE_PEER_PAGES, () -> rig.launchCopy(dev0(), buffer, rig.pages(16)).await())).isZero();
        rig.assertHostSeesRamp(copied, 300);
        rig.assertHostSeesRamp(buffer, 300);
        rig.assertAllPages(dev1(), buffer, SnapshotCode.READ); // all three have it
        assertThat(moved(Counter.MIGRATE_TO_DEVICE_PAGES, () -> rig.launchCopy(dev1(), buffer, rig.pages(16)).await())).isZero();
    }

    @Test
    void writesWhatAnotherDeviceWroteWithoutTheHost() {
        needsPeers();
        MemorySegment buffer = rig.ramp(16, 0);
        rig.launchFill(dev0(), buffer, 300).await();
        assertThat(moved(Counter.MIGRATE_TO_HOST_PAGES, () ->
                assertThat(moved(Counter.MIGRATE_PEER_PAGES, () -> rig.launchAdd(dev1(), buffer, 7).await())).isEqualTo(16))).isZero();
        rig.assertAllPages(dev0(), buffer, SnapshotCode.NONE);
        rig.assertAllPages(dev1(), buffer, localWrite());
        rig.assertHostSeesRamp(buffer, 307);
    }

    /// One of those who read it wants to write: nothing moves, and nobody reads the other copy again.
    @Test
    void oneOfTwoReadersWrites() {
        needsPeers();
        MemorySegment buffer = readByBoth(300);
        assertThat(moved(Counter.MIGRATE_PEER_PAGES, () -> rig.launchAdd(dev1(), buffer, 7).await())).isZero();
        rig.assertAllPages(dev0(), buffer, SnapshotCode.NONE);
        rig.assertDeviceSeesRamp(dev0(), buffer, 307);
        rig.assertHostSeesRamp(buffer, 307);
    }

    @Test
    void theHostWritesWhatTwoDevicesRead() {
        needsPeers();
        MemorySegment buffer = readByBoth(300);
        rig.writeRamp(rig.page(buffer, 3, 2), 9000);
        rig.assertHostSeesRamp(rig.page(buffer, 3, 2), 9000);
        assertThat(rig.snap(dev1(), rig.page(buffer, 2, 3))).containsExactly(SnapshotCode.DEVICE_PRIVATE_LOCAL_READ, SnapshotCode.WRITE, SnapshotCode.WRITE);
        rig.assertDeviceSeesRamp(dev1(), rig.page(buffer, 3, 2), 9000);
        rig.assertDeviceSeesRamp(dev0(), rig.page(buffer, 0, 3), 300);
        rig.assertHostSeesRamp(rig.page(buffer, 0, 3), 300);
    }

    @Test
    void whatTwoDevicesReadIsMovedProtectedDiscardedAndFreed() {
        needsPeers();
        MemorySegment buffer = rig.heap.move(readByBoth(300));
        rig.assertDeviceSeesRamp(dev1(), buffer, 300);
        rig.launchFill(dev0(), buffer, 500).await();
        rig.launchCopy(dev1(), buffer, rig.pages(16)).await();

        rig.heap.protect(rig.page(buffer, 0, 4), Protection.READ);
        assertThatThrownBy(() -> rig.launchAdd(dev1(), rig.page(buffer, 0, 4), 1)).isInstanceOf(AccessViolationException.class);
        rig.assertDeviceSeesRamp(dev0(), rig.page(buffer, 0, 4), 500);
        rig.assertHostSeesRamp(rig.page(buffer, 0, 4), 500);
        rig.heap.discard(rig.page(buffer, 4, 4));
        Rig.assertZeros(rig.dread(dev1(), rig.page(buffer, 4, 4)));
        Rig.assertZeros(rig.read(rig.page(buffer, 4, 4)));
        rig.heap.free(rig.page(buffer, 8, 4));
        int perPage = rig.pageBytes() / 4;
        rig.assertHostSeesRamp(rig.page(buffer, 12, 4), 500 + 12 * perPage);
        assertThat(rig.heap.usedBytes()).isPositive();
    }

    /// More than fits: copies that the other device has, too, go first, and cost nothing.
    @Test
    void copiesOfTwoDevicesMakeRoom() {
        needsPeers();
        assumeTrue(shape == Shape.WINDOWS, "here all fits");
        MemorySegment buffer = readByBoth(300);
        MemorySegment large = rig.pages((int) (shape.budgetBytes / shape.pageBytes));
        assertThat(moved(Counter.MIGRATE_TO_HOST_PAGES, () -> rig.launchFill(dev1(), large, 1).await())).isZero();
        rig.assertAllPages(dev0(), buffer, localWrite()); // it is alone with them now
        rig.assertHostSeesRamp(buffer, 300);
        rig.assertHostSeesRamp(large, 1);
    }

    // ---- what is overwritten comes from nowhere

    private void needsMemoryOfItsOwn() {
        assumeTrue(!rig.isInPlace(), "nothing moves here");
    }

    /// Pages that were copied so far, whoever had them.
    private long copies() {
        return rig.count(Counter.MIGRATE_TO_HOST_PAGES) + rig.count(Counter.MIGRATE_PEER_PAGES) + rig.count(Counter.MIGRATE_TO_DEVICE_PAGES);
    }

    @Test
    void overwritesWhatAnotherDeviceHas() {
        needsMemoryOfItsOwn();
        MemorySegment buffer = rig.ramp(16, 0);
        rig.launchAdd(dev0(), buffer, 300).await();
        for (int round = 0; round < 3; round++) {
            HmmDevice writer = rig.device(1 - round % 2);
            long before = copies();
            var moves = rig.launchFill(writer, Arg.out(buffer), 500 + round).await().moves();
            assertThat(copies() - before).isZero();
            assertThat(moves.pagesMoved()).isEqualTo(16);
            assertThat(moves.bytesCopied()).isZero();
            rig.assertAllPages(rig.device(round % 2), buffer, SnapshotCode.NONE);
            rig.assertAllPages(writer, buffer, localWrite());
        }
        rig.assertHostSeesRamp(buffer, 502);
        rig.assertDeviceSeesRamp(dev0(), buffer, 502);
    }

    /// By kernels that go through the device's page table, which shows pages of their own that no word gives them yet.
    private PagedKernels throughTheTable() {
        needsMemoryOfItsOwn();
        assumeTrue(rig.isPaging(), "no kernel of these devices needs the page table");
        return new PagedKernels(rig);
    }

    @Test
    void overwritesThroughItsTableWhatAnotherDeviceHas() {
        PagedKernels paged = throughTheTable();
        MemorySegment buffer = rig.ramp(16, 0);
        rig.launchAdd(dev0(), buffer, 300).await();
        for (int round = 0; round < 3; round++) {
            HmmDevice writer = rig.device(1 - round % 2);
            long before = copies();
            var moves = paged.fill(writer, Arg.out(buffer), 500 + round).await().moves();
            assertThat(copies() - before).isZero();
            assertThat(moves.rounds()).as("one to miss them, one to write").isEqualTo(2);
            assertThat(moves.pagesMoved()).isEqualTo(16);
            assertThat(moves.bytesCopied()).isZero();
            rig.assertAllPages(rig.device(round % 2), buffer, SnapshotCode.NONE);
            rig.assertAllPages(writer, buffer, localWrite());
        }
        rig.assertHostSeesRamp(buffer, 502);
    }

    /// A page that only a part of is overwritten comes with what it holds.
    @Test
    void overwritesThroughItsTableAPartOfWhatSeveralDevicesRead() {
        PagedKernels paged = throughTheTable();
        needsPeers();
        MemorySegment buffer = readByBoth(300);
        int half = rig.pageBytes() / 2;
        MemorySegment part = buffer.asSlice(half, 14L * rig.pageBytes());
        paged.fill(dev1(), Arg.out(part), 9000).await();
        rig.assertHostSeesRamp(part, 9000);
        rig.assertHostSeesRamp(buffer.asSlice(0, half), 300);
        long end = half + part.byteSize();
        rig.assertHostSeesRamp(buffer.asSlice(end), 300 + (int) (end / 4));
    }

    @Test
    void waitsForWhoeverUsesWhatItOverwritesThroughItsTable() {
        needsReins();
        PagedKernels paged = throughTheTable();
        waitsForAReader(buffer -> paged.fill(dev1(), Arg.out(buffer), 9000));
    }

    /// The driver refuses the kernel when its table shows them: the other device has its pages, and what is on them.
    @Test
    void whatIsNotOverwrittenThroughItsTableAfterAllIsWhereItWas() {
        needsReins();
        PagedKernels paged = throughTheTable();
        MemorySegment buffer = rig.ramp(16, 0);
        rig.launchAdd(dev0(), buffer, 300).await();
        paged.fill(dev1(), Arg.out(rig.pages(1)), 1).await(); // compiled by now
        rig.gpu(1).fail(Call.LAUNCH, 2); // the first finds that they are missing
        isRefusedAndLeavesAsItWas(buffer, () -> paged.fill(dev1(), Arg.out(buffer), 500));
    }

    @Test
    void overwritesWhatSeveralDevicesRead() {
        needsPeers();
        MemorySegment buffer = readByBoth(300);
        rig.assertHostSeesRamp(rig.page(buffer, 8, 8), 300 + 8 * rig.pageBytes() / 4); // of which the host has a part, too
        long before = copies();
        rig.launchFill(dev1(), Arg.out(buffer), 500).await();
        assertThat(copies() - before).isZero();
        rig.assertAllPages(dev0(), buffer, SnapshotCode.NONE);
        rig.assertHostSeesRamp(buffer, 500);
    }

    /// Only pages that the range covers as a whole: of others the rest is kept, so it has to come.
    @Test
    void overwritesAPartOfWhatAnotherDeviceHas() {
        needsPeers();
        MemorySegment buffer = rig.ramp(16, 0);
        rig.launchAdd(dev0(), buffer, 300).await();
        int half = rig.pageBytes() / 2;
        MemorySegment part = buffer.asSlice(half, 14L * rig.pageBytes());
        long before = copies();
        assertThat(moved(Counter.MIGRATE_PEER_PAGES, () -> rig.launchFill(dev1(), Arg.out(part), 9000).await())).isEqualTo(2);
        assertThat(copies() - before).isEqualTo(2);
        rig.assertAllPages(dev0(), rig.page(buffer, 15, 1), localWrite());
        rig.assertHostSeesRamp(part, 9000);
        rig.assertHostSeesRamp(buffer.asSlice(0, half), 300);
        long end = half + part.byteSize();
        rig.assertHostSeesRamp(buffer.asSlice(end), 300 + (int) (end / 4));
    }

    /// The driver refuses the kernel, or another of its arguments is not to be had: the other device has its pages, and what is on them.
    @Test
    void whatIsNotOverwrittenAfterAllIsWhereItWas() {
        needsReins();
        needsMemoryOfItsOwn();
        MemorySegment buffer = rig.ramp(16, 0);
        rig.launchAdd(dev0(), buffer, 300).await();
        rig.launchFill(dev1(), Arg.out(rig.pages(1)), 1).await(); // compiled by now
        rig.gpu(1).fail(Call.LAUNCH, 1);
        isRefusedAndLeavesAsItWas(buffer, () -> rig.launchFill(dev1(), Arg.out(buffer), 500));
    }

    private void isRefusedAndLeavesAsItWas(MemorySegment buffer, ThrowingCallable fill) {
        long before = copies();
        assertThatThrownBy(fill).isInstanceOf(OpenClFailedException.class);
        assertThat(copies() - before).isZero();
        rig.assertAllPages(dev0(), buffer, localWrite());
        rig.assertAllPages(dev1(), buffer, SnapshotCode.NONE);
        rig.assertDeviceSeesRamp(dev0(), buffer, 300);
        rig.assertHostSeesRamp(buffer, 300);
    }

    /// What a kernel still uses is not taken from under it.
    @Test
    void waitsForWhoeverUsesWhatItOverwrites() {
        needsReins();
        needsMemoryOfItsOwn();
        waitsForAReader(buffer -> rig.launchFill(dev1(), Arg.out(buffer), 9000));
    }

    private void waitsForAReader(Function<MemorySegment, Launch> fill) {
        MemorySegment buffer = rig.ramp(16, 0);
        MemorySegment copied = rig.ramp(16, 7);
        rig.launchAdd(dev0(), buffer, 300).await();
        rig.launchFill(dev0(), copied, 7).await();
        rig.gpu(0).hold(Engine.COMPUTE);
        var reading = rig.launchCopy(dev0(), buffer, copied);
        Racers.resumeOnceBlockedOrDone(
                () -> fill.apply(buffer).await(),
                () -> rig.gpu(0).resume(Engine.COMPUTE));
        reading.await();
        rig.assertHostSeesRamp(copied, 300);
        rig.assertHostSeesRamp(buffer, 9000);
    }

    /// Each overwrites all of it in turns with the other, and with a host that looks: nobody sees the numbers of two at once, nor older ones than before.
    @Test
    void bothDevicesOverwriteTheSamePages() throws InterruptedException {
        needsMemoryOfItsOwn();
        MemorySegment buffer = rig.ramp(16, 0);
        int rounds = 30;
        int step = 1_000_000;
        Racers.run(3, racer -> {
            for (int i = 1; i <= rounds; i++) {
                if (racer < 2) {
                    rig.launchFill(rig.device(racer), Arg.out(buffer), i * step).await();
                } else {
                    try (var view = rig.heap.view(buffer, Access.READ)) {
                        int[] seen = view.segment().toArray(JAVA_INT);
                        Rig.assertSame(seen, Rig.rampOf(buffer.byteSize(), seen[0]));
                        assertThat(seen[0] % step).isZero();
                    }
                }
            }
        });
        rig.assertHostSeesRamp(buffer, rounds * step);
    }
}
