package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.file.StandardOpenOption.DELETE_ON_CLOSE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.OtherFrees;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.pager.HostPin;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.Protection;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiFunction;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/// The scenarios of the kernel's HMM tests (`hmm-tests.c`) that take one device, under the kernel's names. What became of each is in `docs/scenarios.md`.
///
/// A CPU touch is an ordinary load or store, or a view with checked access; `mprotect`, `munmap` and `mremap` are the heap's own calls.
abstract class OneDeviceScenarios extends Scenarios {

    static final int PAGES = 64;
    static final int TIMES = 10;

    OneDeviceScenarios(Backend backend) {
        super(backend, 1);
    }

    // ---- mirroring

    @Test
    void open_close() {
        newRig().close(); // what a second one makes that stays is made
        List<String> before = ProcFs.heapsAndTraps();
        long threadsBefore = ProcFs.threadsOfThisThread();
        long objectsBefore = backend.hasReins() ? EmulatedGpu.openObjects() : 0;
        for (int i = 0; i < TIMES; i++) {
            newRig().close();
        }
        assertThat(ProcFs.heapsAndTraps()).isEqualTo(before);
        assertThat(ProcFs.threadsOfThisThread(threadsBefore)).as("threads that serve heaps").isLessThanOrEqualTo(threadsBefore);
        if (backend.hasReins()) {
            Rig.assertObjectsLeft(objectsBefore, "heaps that were opened and closed");
        }
    }

    @Test
    void anon_read() {
        MemorySegment buffer = rig.pages(PAGES);
        MemorySegment written = rig.page(buffer, 2, PAGES - 2);
        rig.writeRamp(written, 7);
        rig.heap.protect(buffer, Protection.READ);
        rig.touch(rig.page(buffer, 1, 1)); // the zero page
        int[] seen = rig.dread(rig.device(0), buffer);
        int untouched = 2 * rig.pageBytes() / 4;
        Rig.assertZeros(Arrays.copyOf(seen, untouched));
        Rig.assertSame(Arrays.copyOfRange(seen, untouched, seen.length), Rig.rampOf(written.byteSize(), 7));
    }

    @Test
    void anon_read_prot() {
        MemorySegment buffer = rig.ramp(PAGES, 0);
        MemorySegment mirror = rig.ramp(PAGES, -5000);
        rig.heap.protect(buffer, Protection.NONE);
        assertViolation(AccessViolationException.Kind.FAULT, buffer, () -> rig.launchCopy(rig.device(0), buffer, mirror));
        assertTouchForbidden(AccessViolationException.Kind.FAULT, buffer, () -> rig.touch(buffer));
        rig.heap.protect(buffer, Protection.READ_WRITE);
        rig.assertHostSeesRamp(buffer, 0);
        rig.assertHostSeesRamp(mirror, -5000);
    }

    @Test
    void anon_write() {
        MemorySegment buffer = rig.pages(PAGES);
        rig.dwrite(rig.device(0), buffer, 3);
        rig.assertHostSeesRamp(buffer, 3);
    }

    @Test
    void anon_write_prot() {
        MemorySegment buffer = rig.pages(PAGES);
        rig.heap.protect(buffer, Protection.READ);
        Rig.assertZeros(rig.dread(rig.device(0), rig.page(buffer, 0, 1)));
        assertViolation(AccessViolationException.Kind.PERMISSION, buffer, () -> rig.launchFill(rig.device(0), buffer, 1));
        assertTouchForbidden(AccessViolationException.Kind.PERMISSION, buffer, () -> rig.writeRamp(buffer, 1));
        Rig.assertZeros(rig.read(buffer));
        rig.heap.protect(buffer, Protection.READ_WRITE);
        rig.dwrite(rig.device(0), buffer, 1);
        rig.assertHostSeesRamp(buffer, 1);
    }

    /// The gap beside it: the page is the device's own already when writing is forbidden.
    @Test
    void anon_write_prot_on_device() {
        MemorySegment buffer = rig.pages(PAGES);
        rig.dwrite(rig.device(0), buffer, 1);
        rig.heap.protect(buffer, Protection.READ);
        rig.assertAllPages(rig.device(0), buffer, backend.isInPlace() ? SnapshotCode.READ : localRead());
        assertViolation(AccessViolationException.Kind.PERMISSION, buffer, () -> rig.launchFill(rig.device(0), buffer, 100));
        assertTouchForbidden(AccessViolationException.Kind.PERMISSION, buffer, () -> rig.writeRamp(buffer, 100));
        rig.assertDeviceSeesRamp(rig.device(0), buffer, 1);
        rig.heap.protect(buffer, Protection.NONE);
        assertViolation(AccessViolationException.Kind.FAULT, buffer, () -> rig.dread(rig.device(0), buffer));
        rig.heap.protect(buffer, Protection.READ_WRITE);
        rig.dwrite(rig.device(0), buffer, 200);
        rig.assertHostSeesRamp(buffer, 200);
    }

    @Test
    void anon_read_multiple() {
        for (int i = 0; i < TIMES; i++) {
            MemorySegment buffer = rig.ramp(PAGES, i);
            rig.assertDeviceSeesRamp(rig.device(0), buffer, i);
            rig.heap.free(buffer);
            OtherFrees.pass(rig.heap);
        }
        assertUsedPages(0);
        assertThat(rig.heap.usedBytes()).isZero();
    }

    /// While others come and go, and so for every way to use it.
    @Test
    void freedRegionIsNobodysForAWhile() {
        MemorySegment freed = rig.ramp(PAGES, 1);
        rig.assertDeviceSeesRamp(rig.device(0), freed, 1);
        MemorySegment out = rig.pages(PAGES);
        rig.heap.free(freed);
        for (int others = 0; others < OtherFrees.COUNT; others++) { // so many have been freed
            MemorySegment other = rig.ramp(1 + others % 3, others);
            assertGone(freed);
            assertThat(rig.heap.contains(freed.address())).isFalse();
            List<ThrowingCallable> uses = List.of(
                    () -> rig.launchCopy(rig.device(0), freed, out), () -> rig.heap.view(freed, Access.READ),
                    () -> rig.heap.prefetch(freed, rig.device(0)), () -> rig.heap.prefetchHost(freed), () -> rig.heap.free(freed), () -> rig.heap.move(freed),
                    () -> rig.heap.discard(freed), () -> rig.heap.protect(freed, Protection.READ));
            for (ThrowingCallable use : uses) {
                assertThatThrownBy(use).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("it was freed");
            }
            rig.assertHostSeesRamp(other, others);
            rig.heap.free(other);
        }
    }

    /// Of what nobody has touched only a little is kept, by 2 MiB: each page is to be what its region says all the same.
    @Test
    void regionsOfUntouchedPages() {
        int page = rig.pageBytes();
        long bytes = 3L * PageSize.MAX_BYTES + page;
        MemorySegment a = rig.heap.allocate(bytes, page);
        MemorySegment first = a.asSlice(0, page);
        MemorySegment touched = a.asSlice(bytes / 2 & -page, page);
        MemorySegment last = a.asSlice(bytes - page);
        for (boolean again : new boolean[] {false, true}) { // the second time pages of it have been used
            rig.heap.protect(a, Protection.NONE);
            for (MemorySegment one : List.of(first, touched, last)) {
                assertTouchForbidden(AccessViolationException.Kind.FAULT, one, () -> rig.touch(one));
            }
            rig.heap.protect(a, Protection.READ);
            Rig.assertZeros(rig.read(last));
            assertTouchForbidden(AccessViolationException.Kind.PERMISSION, last, () -> rig.writeRamp(last, 1));
            assertTouchForbidden(AccessViolationException.Kind.PERMISSION, touched, () -> rig.writeRamp(touched, 1));
            rig.heap.protect(a.asSlice(page), Protection.READ_WRITE);
            assertThat(rig.heap.residency(a).emptyBytes()).isEqualTo(bytes - (again ? page : 0));
            rig.writeRamp(touched, 5);
            assertTouchForbidden(AccessViolationException.Kind.PERMISSION, first, () -> rig.writeRamp(first, 1));
            assertThat(rig.heap.residency(a).hostBytes()).isEqualTo(page);
        }
        rig.heap.free(a);
        for (MemorySegment one : List.of(first, a.asSlice(page, page), touched, last)) {
            assertGone(one);
            assertThat(rig.snap(rig.device(0), one)).containsOnly(SnapshotCode.ERROR);
        }
        OtherFrees.pass(rig.heap);
        MemorySegment part = rig.pages(2);
        assertThat(part.address()).isEqualTo(a.address());
        Rig.assertZeros(rig.read(part));
        rig.writeRamp(part, 3);
        rig.assertDeviceSeesRamp(rig.device(0), part, 3);
        assertGone(last);
        MemorySegment rest = rig.heap.allocate(bytes - PageSize.MAX_BYTES, page);
        assertThat(rest.address()).isEqualTo(a.address() + PageSize.MAX_BYTES);
        Rig.assertZeros(rig.read(rest));
        rig.assertHostSeesRamp(part, 3);
    }

    /// Success means that the kernel saw every byte as it was; an error is the other right answer.
    @Test
    void anon_teardown() throws InterruptedException {
        for (int i = 0; i < TIMES; i++) {
            MemorySegment buffer = rig.ramp(PAGES, i);
            MemorySegment copied = rig.pages(PAGES);
            int[] before = Rig.rampOf(buffer.byteSize(), i);
            Racers.run(
                    () -> rig.heap.free(rig.page(buffer, PAGES / 2, PAGES / 2)),
                    () -> {
                        try {
                            rig.launchCopy(rig.device(0), buffer, copied).await();
                        } catch (IllegalArgumentException e) {
                            assertThat(e).hasMessageMatching(".*(was freed|is not within one managed region).*");
                            return;
                        }
                        Rig.assertSame(rig.read(copied), before);
                    });
            rig.assertHostSeesRamp(rig.page(buffer, 0, PAGES / 2), i);
            rig.heap.free(rig.page(buffer, 0, PAGES / 2));
            rig.heap.free(copied);
        }
        assertThat(rig.heap.usedBytes()).isZero();
    }

    // ---- migration

    @Test
    void migrate() {
        MemorySegment buffer = rig.ramp(PAGES, 0);
        assertThat(rig.heap.migrate(buffer, rig.device(0)).count(PageOutcome.MOVED)).isEqualTo(PAGES);
        rig.assertAllPages(rig.device(0), buffer, localWrite());
        rig.assertDeviceSeesRamp(rig.device(0), buffer, 0);
    }

    @Test
    void migrate_fault() {
        MemorySegment buffer = rig.ramp(PAGES, 0);
        assertThat(rig.heap.migrate(buffer, rig.device(0)).allResident()).isTrue();
        MemorySegment half = rig.page(buffer, 0, PAGES / 2);
        rig.assertHostSeesRamp(half, 0);
        rig.assertAllPages(rig.device(0), half, SnapshotCode.READ);
        rig.assertAllPages(rig.device(0), rig.page(buffer, PAGES / 2, PAGES / 2), localWrite());
        assertThat(rig.heap.migrate(buffer, rig.device(0)).allResident()).isTrue();
        rig.assertAllPages(rig.device(0), buffer, localWrite());
        rig.assertHostSeesRamp(buffer, 0);
    }

    @Test
    void migrate_release() {
        MemorySegment buffer = rig.ramp(PAGES, 0);
        assertThat(rig.heap.migrate(buffer, rig.device(0)).allResident()).isTrue();
        rig.hmm.evictAll(rig.device(0));
        rig.assertAllPages(rig.device(0), buffer, SnapshotCode.WRITE);
        assertThat(rig.device(0).usedBytes()).isZero();
        rig.assertHostSeesRamp(rig.page(buffer, 0, PAGES / 2), 0);
        rig.assertDeviceSeesRamp(rig.device(0), buffer, 0);
    }

    /// In the kernel memory shared between processes does not migrate (`-ENOENT`). Our heap **is** such memory on the host side, and migrates: nobody else has it mapped.
    @Test
    void migrate_shared() {
        MemorySegment buffer = rig.ramp(PAGES, 9);
        assertThat(rig.heap.migrate(buffer, rig.device(0)).allResident()).isTrue();
        rig.assertAllPages(rig.device(0), buffer, localWrite());
        rig.assertHostSeesRamp(buffer, 9);
    }

    @Test
    void migrate_multiple() {
        for (int i = 0; i < TIMES; i++) {
            MemorySegment buffer = rig.ramp(PAGES, i);
            assertThat(rig.heap.migrate(buffer, rig.device(0)).allResident()).isTrue();
            assertThat(rig.heap.prefetchHost(buffer).allResident()).isTrue();
            rig.assertAllPages(rig.device(0), buffer, SnapshotCode.WRITE);
            rig.assertHostSeesRamp(buffer, i);
            rig.heap.free(buffer);
            assertUsedPages(0);
        }
    }

    @Test
    void migrate_anon_huge_empty() {
        MemorySegment block = block();
        rig.heap.protect(block, Protection.READ);
        var report = rig.heap.migrate(block, rig.device(0));
        assertThat(report.allResident()).isTrue();
        assertThat(report.bytesCopied()).isZero();
        Rig.assertZeros(rig.dread(rig.device(0), block));
    }

    @Test
    void migrate_anon_huge_zero() {
        MemorySegment block = block();
        rig.heap.protect(block, Protection.READ);
        rig.touch(block);
        rig.assertAllPages(rig.device(0), block, SnapshotCode.ZERO_READ);
        var report = rig.heap.migrate(block, rig.device(0));
        assertThat(report.allResident()).isTrue();
        assertThat(report.bytesCopied()).isZero();
        Rig.assertZeros(rig.dread(rig.device(0), block));
        Rig.assertZeros(rig.read(block));
    }

    @Test
    void migrate_partial_unmap_fault() {
        for (int quarter = 0; quarter <= 2; quarter++) {
            MemorySegment block = block();
            int pages = Math.toIntExact(block.byteSize() / rig.pageBytes());
            rig.writeRamp(block, 0);
            assertThat(rig.heap.migrate(block, rig.device(0)).allResident()).isTrue();
            int first = pages / 4 * quarter;
            rig.heap.free(rig.page(block, first, pages / 2));
            assertUsedPages(pages / 2);
            forEachPageOutside(block, pages, first, first + pages / 2, (part, page) -> {
                rig.assertHostSeesRamp(part, page * rig.pageBytes() / 4);
                rig.heap.free(part);
            });
            assertUsedPages(0);
        }
    }

    private void forEachPageOutside(MemorySegment block, int pages, int first, int end, ObjIntConsumer<MemorySegment> check) {
        for (int page = 0; page < pages; page = page + 1 == first ? end : page + 1) {
            if (page < first || page >= end) {
                check.accept(rig.page(block, page, 1), page);
            }
        }
    }

    @Test
    void migrate_remap_fault() {
        for (boolean moveFirst : new boolean[] {false, true}) {
            MemorySegment block = block();
            rig.writeRamp(block, 5);
            if (moveFirst) {
                block = rig.heap.move(block);
            }
            assertThat(rig.heap.migrate(block, rig.device(0)).allResident()).isTrue();
            if (!moveFirst) {
                MemorySegment old = block;
                block = rig.heap.move(block);
                assertGone(old);
                assertThat(rig.snap(rig.device(0), old)).containsOnly(SnapshotCode.ERROR);
                if (shape == Shape.WINDOWS) {
                    rig.assertAllPages(rig.device(0), block, localWrite()); // re-keyed, not copied
                }
            }
            rig.assertDeviceSeesRamp(rig.device(0), block, 5);
            rig.assertHostSeesRamp(block, 5);
            rig.heap.free(block);
        }
        assertUsedPages(0);
    }

    @Test
    void migrate_anon_huge_err() {
        needsReins();
        MemorySegment block = block();
        rig.writeRamp(block, 0);
        rig.gpu(0).fail(Call.CREATE_BUFFER, 1);
        migrateInTwoTries(block);
        rig.assertHostSeesRamp(rig.page(block, 3, 1), 3 * rig.pageBytes() / 4);
        MemorySegment moved = rig.heap.move(block);
        assertThat(rig.heap.migrate(moved, rig.device(0)).allResident()).isTrue();
        rig.gpu(0).fail(copyHome(), 1);
        List<SnapshotCode> before = rig.snap(rig.device(0), moved);
        assertThatThrownBy(() -> rig.heap.prefetchHost(moved)).isInstanceOf(OpenClFailedException.class);
        assertThat(rig.snap(rig.device(0), moved)).isEqualTo(before);
        rig.assertHostSeesRamp(moved, 0);
    }

    @Test
    void migrate_anon_huge_zero_err() {
        needsReins();
        for (Call failing : List.of(Call.CREATE_BUFFER, Call.FILL)) {
            MemorySegment block = block();
            rig.heap.protect(block, Protection.READ);
            rig.touch(block);
            rig.gpu(0).fail(failing, 1);
            migrateInTwoTries(block);
            Rig.assertZeros(rig.read(block));
            rig.gpu(0).fail(copyHome(), 1);
            assertThat(rig.heap.migrate(block, rig.device(0)).allResident()).isTrue();
            assertThatThrownBy(() -> rig.heap.prefetchHost(block)).isInstanceOf(OpenClFailedException.class);
            Rig.assertZeros(rig.read(block));
            rig.heap.free(block);
            rig.hmm.evictAll(rig.device(0));
        }
    }

    /// A failure is either made up for at once, with a smaller piece of device memory, or reported with every page where it was; then the next try works.
    private void migrateInTwoTries(MemorySegment block) {
        List<SnapshotCode> before = rig.snap(rig.device(0), block);
        try {
            rig.heap.migrate(block, rig.device(0));
        } catch (OpenClFailedException | DeviceMemoryExhaustedException _) {
            assertThat(rig.snap(rig.device(0), block)).isEqualTo(before);
        }
        rig.gpu(0).clear();
        assertThat(rig.heap.migrate(block, rig.device(0)).allResident()).isTrue();
    }

    /// Holds kernels, with pages on the device that the next one needs: those who make room for them would wait as well.
    private void holdWith(MemorySegment... ranges) {
        for (MemorySegment range : ranges) {
            rig.heap.prefetch(range, rig.device(0));
        }
        rig.gpu(0).hold(Engine.COMPUTE);
    }

    /// What brings pages home with this device's engine.
    private Call copyHome() {
        return CopyMode.of(rig.device(0).copyEngine()) == CopyMode.COPY ? Call.COPY : Call.READ;
    }

    /// Only that it works at every size; how fast is the benchmark's business.
    @Test
    void benchmark_thp_migration() {
        for (int kib = 512; kib <= 4096; kib *= 2) {
            MemorySegment buffer = rig.heap.allocate((long) kib << 10, 1);
            rig.writeRamp(buffer, kib);
            for (int i = 0; i < 3; i++) {
                assertThat(rig.heap.migrate(buffer, rig.device(0)).allResident()).isTrue();
                assertThat(rig.heap.prefetchHost(buffer).allResident()).isTrue();
            }
            rig.assertHostSeesRamp(buffer, kib);
            rig.heap.free(buffer);
        }
    }

    // ---- who else gets at pages

    /// `get_user_pages`: whoever gets at pages by their addresses, and no matter who, finds them at home. A system call, a buffer that stays with a driver, native code.
    ///
    /// The kernel forbids long-term pins of device memory and moves the page first; so does a pin here, and the page stays home while it is held. Where the trap does not
    /// see what the kernel touches, a system call on a page that is away fails with `EFAULT` and moves nothing, and the pin is the way.
    @Test
    void hmm_gup_test() throws IOException {
        needsTransparency();
        MemorySegment buffer = rig.ramp(4, 0);
        assertThat(rig.heap.migrate(buffer, rig.device(0)).allResident()).isTrue();
        MemorySegment written = rig.page(buffer, 0, 1);
        MemorySegment readInto = rig.page(buffer, 1, 1);
        try (FileChannel file = FileChannel.open(Files.createTempFile("gup", null), READ, WRITE, DELETE_ON_CLOSE)) {
            systemCall(written, Access.READ, () -> file.write(written.asByteBuffer(), 0));
            systemCall(readInto, Access.WRITE, () -> file.read(readInto.asByteBuffer(), 0));
        }
        rig.assertHostSeesRamp(written, 0);
        rig.assertHostSeesRamp(readInto, 0);

        MemorySegment pinned = rig.page(buffer, 2, 1);
        try (HostPin _ = rig.heap.pin(pinned, Access.WRITE)) {
            assertThat(rig.heap.migrate(pinned, rig.device(0)).count(PageOutcome.PINNED)).isEqualTo(1);
            LibC.copyCritically(written, pinned);
            rig.hmm.evictAll(rig.device(0));
            rig.assertHostSeesRamp(pinned, 0);
        }
        assertThat(rig.heap.migrate(rig.page(buffer, 2, 2), rig.device(0)).allResident()).isTrue();
        MemorySegment copied = rig.page(buffer, 3, 1);
        LibC.copy(pinned, copied);
        rig.assertAllPages(rig.device(0), rig.page(buffer, 1, 1), SnapshotCode.WRITE);
        rig.assertAllPages(rig.device(0), pinned, SnapshotCode.READ);
        rig.assertAllPages(rig.device(0), copied, SnapshotCode.WRITE);
        rig.assertHostSeesRamp(copied, 0);
    }

    private interface SystemCall {
        int onManagedMemory() throws IOException;
    }

    /// Makes a system call on a page of the device; with a pin where it needs one, and was seen to fail without and to leave the page where it is.
    private void systemCall(MemorySegment page, Access access, SystemCall call) throws IOException {
        if (rig.hmm.hostAccess().fromSystemCalls()) {
            assertThat(call.onManagedMemory()).isEqualTo(rig.pageBytes());
            return;
        }
        assertThatThrownBy(call::onManagedMemory).isInstanceOf(IOException.class).hasMessageContaining("Bad address");
        rig.assertAllPages(rig.device(0), page, localWrite());
        try (HostPin _ = rig.heap.pin(page, access)) {
            assertThat(call.onManagedMemory()).isEqualTo(rig.pageBytes());
        }
    }

    /// What `/proc/self/pagemap` and `maps` show of pages that are away: nothing that the processor could read.
    @Test
    void migrate_anon_huge_fault() {
        MemorySegment block = block();
        long systemPages = block.byteSize() / ProcFs.SYSTEM_PAGE_BYTES;
        rig.writeRamp(block, 0);
        assertThat(reachable(block)).isEqualTo(rig.isTransparent() ? systemPages : 0);
        assertThat(rig.heap.migrate(block, rig.device(0)).allResident()).isTrue();
        rig.assertAllPages(rig.device(0), block, localWrite());
        assertThat(reachable(block)).isZero();
        MemorySegment half = block.asSlice(0, block.byteSize() / 2);
        rig.assertHostSeesRamp(half, 0);
        assertThat(reachable(block)).isEqualTo(rig.isTransparent() ? systemPages / 2 : 0);
        rig.assertHostSeesRamp(block, 0);
    }

    private static long reachable(MemorySegment range) {
        return ProcFs.reachablePages(range.address(), range.byteSize());
    }

    /// A device waits for pages that another thread must supply, and holds nothing meanwhile that this thread needs: the supplier has the pages pinned (or, with checked
    /// access, in a view), and what it fills them with lies on that same device, page by page.
    @Test
    void userfaultfd_read() throws InterruptedException {
        int pages = 4;
        MemorySegment source = rig.ramp(pages, 500);
        MemorySegment supplied = rig.pages(pages);
        MemorySegment copied = rig.pages(pages);
        assertThat(rig.heap.migrate(source, rig.device(0)).allResident()).isTrue();
        CountDownLatch held = new CountDownLatch(1);
        Racers.run(
                () -> {
                    if (rig.isTransparent()) {
                        try (HostPin _ = rig.heap.pin(supplied, Access.WRITE)) {
                            supply(held, source, supplied);
                        }
                    } else {
                        try (HostView view = rig.heap.view(supplied, Access.WRITE)) {
                            supply(held, source, view.segment());
                        }
                    }
                },
                () -> {
                    awaitUninterruptibly(held);
                    rig.launchCopy(rig.device(0), supplied, copied).await();
                });
        rig.assertHostSeesRamp(supplied, 500);
        rig.assertHostSeesRamp(copied, 500);
    }

    private void supply(CountDownLatch held, MemorySegment source, MemorySegment supplied) {
        held.countDown();
        while (rig.count(Counter.LAUNCH_WAITS) == 0) {
            Thread.onSpinWait();
        }
        for (int page = 0; page < source.byteSize() / rig.pageBytes(); page++) {
            MemorySegment to = rig.page(supplied, page, 1);
            rig.onHost(rig.page(source, page, 1), Access.READ, from -> MemorySegment.copy(from, 0, to, 0, to.byteSize()));
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    // ---- what the kernel's tests leave out

    @Test
    void countersAddUp() {
        MemorySegment buffer = rig.ramp(PAGES, 0);
        MemorySegment empty = rig.pages(PAGES);
        rig.heap.prefetch(buffer, rig.device(0));
        rig.heap.prefetch(empty, rig.device(0));
        rig.touch(buffer);
        var report = rig.hmm.report();
        long bytes = (long) PAGES * rig.pageBytes();
        assertThat(report.count(Counter.MIGRATE_TO_DEVICE_PAGES)).isEqualTo(PAGES);
        assertThat(report.count(Counter.MIGRATE_FILLED_PAGES)).isEqualTo(PAGES);
        assertThat(touchedPages(report)).isEqualTo(PAGES);
        assertThat(report.count(Counter.VIEWS_OPENED)).isEqualTo(rig.isTransparent() ? 0 : 2);
        assertThat(report.bytes(Direction.TO_DEVICE)).isEqualTo(bytes);
        assertThat(report.bytes(Direction.TO_HOST)).isEqualTo(bytes);
        var residency = rig.heap.residency(empty);
        assertThat(residency.onDevice(rig.device(0))).isEqualTo(bytes);
    }

    /// One fetch serves all who touch the page meanwhile.
    @Test
    void concurrentTouchesOfOneDevicePage() throws InterruptedException {
        MemorySegment page = rig.ramp(1, 40);
        for (int i = 0; i < TIMES; i++) {
            assertThat(rig.heap.prefetch(page, rig.device(0)).allResident()).isTrue();
            Racers.run(8, racer -> {
                if (racer % 2 == 0) {
                    rig.assertHostSeesRamp(page, 40);
                    return;
                }
                try (var view = rig.heap.sharedView(page, Access.READ)) {
                    Rig.assertSame(view.segment().toArray(JAVA_INT), Rig.rampOf(page.byteSize(), 40));
                }
            });
        }
        assertThat(touchedPages(rig.hmm.report())).isEqualTo(TIMES);
    }

    @Test
    void migrationRacingAHostWrite() throws InterruptedException {
        MemorySegment buffer = rig.pages(PAGES);
        for (int i = 0; i < TIMES; i++) {
            int start = 1000 * i;
            Racers.run(
                    () -> rig.heap.prefetch(buffer, rig.device(0)),
                    () -> rig.writeRamp(buffer, start),
                    () -> rig.heap.migrate(buffer, rig.device(0)));
            rig.assertDeviceSeesRamp(rig.device(0), buffer, start);
        }
        rig.assertHostSeesRamp(buffer, 1000 * (TIMES - 1));
    }

    @Test
    void sameRangeMigratedFromTwoThreads() throws InterruptedException {
        MemorySegment buffer = rig.ramp(PAGES, 0);
        for (int i = 0; i < TIMES; i++) {
            Racers.run(2, _ -> assertThat(rig.heap.prefetch(buffer, rig.device(0)).allResident()).isTrue());
            rig.assertAllPages(rig.device(0), buffer, localWrite());
            Racers.run(2, _ -> assertThat(rig.heap.prefetchHost(buffer).allResident()).isTrue());
            rig.assertAllPages(rig.device(0), buffer, SnapshotCode.WRITE);
        }
        rig.assertHostSeesRamp(buffer, 0);
    }

    /// A slice that starts and ends within pages: the neighbours on its edge pages keep their bytes, whatever the argument says about its old contents.
    @Test
    void neighboursOnEdgePagesSurvive() {
        List<BiFunction<MemorySegment, Integer, Object>> intents = List.of((s, _) -> s, (s, _) -> Arg.out(s), (s, _) -> Arg.inOut(s));
        for (var intent : intents) {
            MemorySegment buffer = rig.ramp(4, 0);
            MemorySegment slice = buffer.asSlice(1024, 2L * rig.pageBytes() + 512);
            rig.launchFill(rig.device(0), intent.apply(slice, 0), -9000).await();
            rig.assertHostSeesRamp(slice, -9000);
            rig.assertHostSeesRamp(buffer.asSlice(0, 1024), 0);
            int after = (int) (1024 + slice.byteSize());
            rig.assertHostSeesRamp(buffer.asSlice(after), after / 4);
        }
    }

    /// An output whose pages are all on the device, and each somewhere else: the kernel gets them in one piece, or its neighbours would be overwritten.
    @Test
    void piecesOfAnOutputInDifferentPlaces() {
        int pages = shape == Shape.WINDOWS ? (int) (shape.budgetBytes / shape.pageBytes) + 1 : PAGES; // no room for the whole region
        MemorySegment buffer = rig.pages(pages);
        for (int page : new int[] {3, 5, 4, 7, 6}) {
            rig.dwrite(rig.device(0), rig.page(buffer, page, 1), page * 100_000);
        }
        MemorySegment slice = buffer.asSlice(3L * rig.pageBytes() + 1024, 2L * rig.pageBytes());
        rig.launchFill(rig.device(0), Arg.out(slice), -77_000).await();
        rig.assertHostSeesRamp(slice, -77_000);
        rig.assertHostSeesRamp(buffer.asSlice(3L * rig.pageBytes(), 1024), 300_000);
        rig.assertHostSeesRamp(buffer.asSlice(5L * rig.pageBytes() + 1024, rig.pageBytes() - 1024L), 500_256);
        rig.assertHostSeesRamp(rig.page(buffer, 6, 1), 600_000);
        rig.assertHostSeesRamp(rig.page(buffer, 7, 1), 700_000);
    }

    /// Both ends within one page, and the last page of an allocation that does not fill it.
    @Test
    void slicesWithinOnePage() {
        MemorySegment buffer = rig.heap.allocate(rig.pageBytes() + 1000L, 4);
        rig.writeRamp(buffer, 0);
        MemorySegment within = buffer.asSlice(256, 512);
        rig.launchFill(rig.device(0), Arg.out(within), 77).await();
        MemorySegment tail = buffer.asSlice(rig.pageBytes() + 128);
        rig.launchFill(rig.device(0), Arg.out(tail), 99).await();
        rig.assertHostSeesRamp(buffer.asSlice(0, 256), 0);
        rig.assertHostSeesRamp(within, 77);
        rig.assertHostSeesRamp(buffer.asSlice(768, rig.pageBytes() + 128 - 768), 768 / 4);
        rig.assertHostSeesRamp(tail, 99);
    }

    /// A kernel takes a slice at any element, wherever the device can start a pointer, and leaves alone what is around it. Where it gets a copy, ranges that are one to the kernel must not
    /// become two.
    @Test
    void slicesAtAnyElement() {
        int ints = 3 * rig.pageBytes() / 4;
        int[] expected = IntStream.range(0, ints).toArray();
        MemorySegment buffer = rig.heap.allocate(4L * ints, 4);
        rig.writeRamp(buffer, 0);
        for (int first : new int[] {1, 33, rig.pageBytes() / 4 - 1, rig.pageBytes() / 4 + 3}) {
            int count = rig.pageBytes() / 4 + 7;
            MemorySegment slice = buffer.asSlice(4L * first, 4L * count);
            rig.launchAdd(rig.device(0), slice, 1000).await();
            Arrays.setAll(expected, i -> expected[i] + (i >= first && i < first + count ? 1000 : 0));
            assertThat(rig.read(buffer)).isEqualTo(expected);
        }
        rig.launchFill(rig.device(0), Arg.out(buffer.asSlice(20, 40)), 5).await();
        rig.launchCopy(rig.device(0), Arg.in(buffer.asSlice(20, 40)), Arg.out(buffer.asSlice(100, 40))).await();
        for (int i = 0; i < 10; i++) {
            expected[5 + i] = 5 + i;
            expected[25 + i] = 5 + i;
        }
        assertThat(rig.read(buffer)).isEqualTo(expected);
        rig.launchCopy(rig.device(0), Arg.inOut(buffer.asSlice(20, 40)), Arg.inOut(buffer.asSlice(20, 40))).await(); // one range, passed twice
        assertThat(rig.read(buffer)).isEqualTo(expected);
        if (rig.device(0).placementWhy().contains("addresses")) {
            return; // it starts at any int there, and nothing is copied
        }
        assertThatThrownBy(() -> rig.launchCopy(rig.device(0), Arg.in(buffer.asSlice(20, 40)), Arg.out(buffer.asSlice(24, 40)))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("kernel=copy_ints, argument 0").hasMessageContaining("multiple of").hasMessageContaining("shares bytes with");
    }

    /// Device memory that was given back and taken again holds nobody's bytes, also where a kernel leaves gaps. (Fresh memory of an emulated GPU holds no zeros.)
    @Test
    void framesComeBackClean() {
        MemorySegment buffer = rig.heap.allocate(1000, 4); // the rest of its page is a gap
        for (int i = 0; i < 3; i++) {
            rig.launchFill(rig.device(0), Arg.out(buffer), i).await();
            rig.assertHostSeesRamp(buffer, i);
            rig.hmm.evictAll(rig.device(0));
        }
    }

    /// A range declared dead reads as zeros, whatever a kernel that is still running makes of it.
    @Test
    void discard_while_writing() {
        needsReins();
        MemorySegment buffer = rig.ramp(PAGES, 0);
        holdWith(buffer);
        var launch = rig.launchFill(rig.device(0), buffer, 500);
        Racers.resumeOnceBlockedOrDone(
                () -> rig.heap.discard(buffer),
                () -> rig.gpu(0).resume(Engine.COMPUTE));
        launch.await();
        Rig.assertZeros(rig.read(buffer));
    }

    /// A kernel that was launched before the contents were declared dead still reads them.
    @Test
    void discard_while_reading() {
        needsReins();
        MemorySegment buffer = rig.ramp(PAGES, 0);
        MemorySegment copied = rig.pages(PAGES);
        holdWith(buffer, copied);
        var launch = rig.launchCopy(rig.device(0), buffer, copied);
        Racers.resumeOnceBlockedOrDone(() -> rig.heap.discard(buffer), () -> rig.gpu(0).resume(Engine.COMPUTE));
        launch.await();
        rig.assertHostSeesRamp(copied, 0);
        Rig.assertZeros(rig.read(buffer));
    }

    // ---- parts

    /// Two megabytes: what the kernel maps as one huge page.
    private MemorySegment block() {
        return rig.pages((2 << 20) / rig.pageBytes());
    }
}
