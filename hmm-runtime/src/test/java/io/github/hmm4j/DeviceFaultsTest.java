package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.error.LaunchBlockedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.Placement;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.pager.Ladder;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Kernels as anybody writes them, which fault over more than the device may hold.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class DeviceFaultsTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / Integer.BYTES;

    private static final Source PLAIN = Source.text("plain.cl", """
            __kernel void update(__global int *a, int k) { size_t i = get_global_id(0); a[i] = a[i] * 3 + k; }
            __kernel void update_pages(__global int *a, int n) { for (int i = 0; i < n; i++) a[i * 1024] = a[i * 1024] * 3 + 1; }
            __kernel void sum(__global const int *a, __global long *out, int n) {
              long s = 0;
              for (int i = 0; i < n; i++) s += a[get_global_id(0) * n + i];
              out[get_global_id(0)] = s;
            }
            __kernel void gather(__global const int *a, __global const int *at, __global int *out) { out[get_global_id(0)] = a[at[get_global_id(0)]]; }
            __kernel void add_often(volatile __global int *a, int n, int times) {
              for (int i = 0; i < times; i++) atomic_inc(&a[(get_global_id(0) * 7919 + i * 1031) % n]);
            }
            __kernel void write_at(__global int *a, long at) { a[at] = 77; }
            __kernel void read_at(__global const int *a, long at, __global int *out) { out[0] = a[at] + 1; }
            """);

    HostAccess.Mode mode() {
        return HostAccess.Mode.UFFD;
    }

    @BeforeEach
    void needsDeviceThatFaults() {
        assumeTrue(mode() != HostAccess.Mode.UFFD || Ladder.best().mode() == HostAccess.Mode.UFFD, "userfaultfd cannot be had here");
        assumeTrue(FirstDevice.worksInHostMemory(), "kernels of this device cannot fault");
    }

    private HmmBuilder builder(int pageBytes, long budgetBytes) {
        return Hmm.builder().hostAccess(mode()).heap(ByteSize.mib(64)).pageSize(pageBytes).budget(budgetBytes).deviceFaults();
    }

    private static long leastPages() {
        try (Hmm any = Hmm.builder().heap(ByteSize.mib(2)).open()) {
            return 33L * any.device().info().computeUnits();
        }
    }

    /// With the least budget that there is.
    private Hmm open() {
        return builder(PAGE, leastPages() * PAGE).open();
    }

    private static Kernel kernel(Hmm hmm, String name) {
        return hmm.program(PLAIN).kernel(name);
    }

    private static MemorySegment ints(Hmm hmm, int count) {
        MemorySegment segment = hmm.heap().allocate(JAVA_INT, count);
        for (int i = 0; i < count; i++) {
            segment.setAtIndex(JAVA_INT, i, i ^ i >>> 7);
        }
        return segment;
    }

    private static long count(Hmm hmm, Counter counter) {
        return hmm.report().count(counter);
    }

    @ParameterizedTest
    @CsvSource({"4096, 1024, 4", "4096, 1024, 1", "65536, 80, 1", "65536, 320, 4", "2097152, 3, 1"})
    void plainKernelsRunOverMoreThanTheBudget(int pageBytes, int pages, int times) {
        long bytes = (long) pages * pageBytes;
        long budgetBytes = times == 1 ? bytes + 8L * pageBytes : bytes / times;
        try (Hmm hmm = builder(pageBytes, Math.max(budgetBytes, leastPages() * pageBytes)).heap(Math.max(ByteSize.mib(64), 2 * bytes)).open()) {
            assertThat(hmm.device().placement()).isEqualTo(Placement.FAULTING);
            int count = (int) (bytes / Integer.BYTES);
            int items = 1024;
            MemorySegment a = ints(hmm, count);
            MemorySegment sums = hmm.heap().allocate(JAVA_LONG, items);
            for (int k = 1; k <= 2; k++) {
                kernel(hmm, "update").args(a, k).launch(NDRange.of(count)).await();
                kernel(hmm, "sum").args(a, Arg.out(sums), count / items).launch(NDRange.of(items)).await();
                assertThat(hmm.device().usedBytes()).isLessThanOrEqualTo(hmm.device().budgetBytes());
            }
            int[] expected = new int[count];
            for (int i = 0; i < count; i++) {
                expected[i] = ((i ^ i >>> 7) * 3 + 1) * 3 + 2;
            }
            for (int item = 0; item < items; item++) {
                long sum = 0;
                for (int i = 0; i < count / items; i++) {
                    sum += expected[item * (count / items) + i];
                }
                assertThat(sums.getAtIndex(JAVA_LONG, item)).isEqualTo(sum);
            }
            assertThat(a.toArray(JAVA_INT)).isEqualTo(expected);
            assertThat(count(hmm, Counter.DEVICE_BROUGHT_WRITE) + count(hmm, Counter.DEVICE_BROUGHT_READ)).isGreaterThanOrEqualTo(bytes / pageBytes);
            assertThat(count(hmm, Counter.DEVICE_EVICTED) > 0).isEqualTo(times > 1);
            assertThat(count(hmm, Counter.DEVICE_REFUSED)).isZero();
        }
    }

    /// With the least budget, which is much of such pages.
    @ParameterizedTest
    @ValueSource(ints = {65_536, 2_097_152})
    void largePagesMakeRoomForOthers(int pageBytes) {
        long budgetBytes = leastPages() * pageBytes;
        assumeTrue(budgetBytes <= ByteSize.mib(256), "many processors");
        long bytes = budgetBytes + 10L * pageBytes;
        try (Hmm hmm = builder(pageBytes, budgetBytes).heap(2 * bytes).open()) {
            int count = (int) (bytes / Integer.BYTES);
            MemorySegment a = hmm.heap().allocate(JAVA_INT, count);
            for (int k = 1; k <= 3; k++) {
                kernel(hmm, "update").args(a, k).launch(NDRange.of(count)).await();
                assertThat(hmm.device().usedBytes()).isLessThanOrEqualTo(budgetBytes);
                a.setAtIndex(JAVA_INT, k * 1000L, k); // the host has a part of a page that the device has
            }
            for (int i = 0; i < count; i += 511) { // each 4 KiB in several places
                assertThat(a.getAtIndex(JAVA_INT, i)).as("element %d", i).isEqualTo((1 * 3 + 2) * 3 + 3);
            }
            assertThat(a.getAtIndex(JAVA_INT, 1000)).isEqualTo((1 * 3 + 2) * 3 + 3);
            assertThat(a.getAtIndex(JAVA_INT, 2000)).isEqualTo(2 * 3 + 3);
            assertThat(a.getAtIndex(JAVA_INT, 3000)).isEqualTo(3);
            assertThat(count(hmm, Counter.DEVICE_EVICTED)).isGreaterThanOrEqualTo(10);
            assertThat(count(hmm, Counter.DEVICE_REFUSED)).isZero();
        }
    }

    @Test
    void onlyWhatIsTouchedMoves() {
        try (Hmm hmm = open()) {
            MemorySegment table = ints(hmm, 1000 * INTS);
            int[] places = new SplittableRandom(5).ints(60, 0, 1000 * INTS).toArray();
            MemorySegment at = hmm.heap().allocateFrom(JAVA_INT, places);
            MemorySegment out = hmm.heap().allocate(JAVA_INT, places.length);
            kernel(hmm, "gather").args(table, at, Arg.out(out)).launch(NDRange.of(places.length)).await();
            for (int i = 0; i < places.length; i++) {
                assertThat(out.getAtIndex(JAVA_INT, i)).isEqualTo(places[i] ^ places[i] >>> 7);
            }
            assertThat(count(hmm, Counter.DEVICE_BROUGHT_READ) + count(hmm, Counter.DEVICE_BROUGHT_WRITE) - count(hmm, Counter.DEVICE_AHEAD)).isLessThanOrEqualTo(places.length + 4L);
        }
    }

    @Test
    void theHostTouchesWhatAKernelIsWorkingOn() {
        try (Hmm hmm = open()) {
            int count = 300 * INTS;
            int times = 500;
            MemorySegment a = hmm.heap().allocate(JAVA_INT, count);
            Launch launch = kernel(hmm, "add_often").args(a, count, times).launch(NDRange.of(16));
            SplittableRandom random = new SplittableRandom(11);
            int added = 0;
            var element = JAVA_INT.arrayElementVarHandle();
            while (!launch.isDone() && added < 20_000) {
                int ignored = (int) element.getAndAdd(a, 0L, (long) random.nextInt(count), 1);
                added += ignored >= 0 ? 1 : 0;
            }
            launch.await();
            long sum = 0;
            for (int value : a.toArray(JAVA_INT)) {
                sum += value;
            }
            assertThat(sum).isEqualTo(16L * times + added);
        }
    }

    @Test
    void aKernelWaitsForAViewOfWhatItTouches() {
        assumeTrue(FirstDevice.tellsOfRunningKernels(), "who asks for this kernel waits for it");
        try (Hmm hmm = open()) {
            MemorySegment a = ints(hmm, INTS);
            Launch launch;
            try (HostView view = hmm.heap().sharedView(a, Access.WRITE)) {
                launch = Background.call(() -> kernel(hmm, "update").args(a, 1).launch(NDRange.of(INTS))).join();
                view.segment().setAtIndex(JAVA_INT, 3, 100);
                assertThat(launch.isDone()).isFalse();
            }
            launch.await();
            assertThat(a.getAtIndex(JAVA_INT, 3)).isEqualTo(301);
        }
    }

    /// It waited as long for each page of the view, and all launches and the end of the heap waited with it: the test's time limit would end that.
    @Test
    void aKernelThatHasWaitedForAViewWaitsForNoOther() {
        int pages = 256;
        try (Hmm hmm = builder(PAGE, leastPages() * PAGE).touchTimeout(Duration.ofMillis(300)).open()) {
            MemorySegment a = ints(hmm, pages * INTS);
            Kernel.Call update = kernel(hmm, "update_pages").args(a, pages);
            try (HostView view = hmm.heap().sharedView(a, Access.WRITE)) {
                Launch launch = update.launch(NDRange.of(1)); // one work-item, which would wait for one page after the other
                assertThatThrownBy(launch::await).isInstanceOf(LaunchBlockedException.class);
                assertThat(view.segment().getAtIndex(JAVA_INT, 3L * INTS)).isEqualTo(3 * INTS ^ 3 * INTS >>> 7);
            }
            update.launch(NDRange.of(1)).await();
            assertThat(a.getAtIndex(JAVA_INT, 3L * INTS)).isEqualTo((3 * INTS ^ 3 * INTS >>> 7) * 3 + 1);
        }
    }

    @Test
    void aKernelDoesNotWaitForAViewForEver() {
        try (Hmm hmm = builder(PAGE, leastPages() * PAGE).touchTimeout(Duration.ofMillis(50)).open()) {
            MemorySegment a = ints(hmm, INTS);
            try (HostView view = hmm.heap().sharedView(a, Access.WRITE)) {
                Launch launch = Background.call(() -> kernel(hmm, "write_at").args(a, 3L).launch(NDRange.of(1))).join();
                assertThatThrownBy(launch::await).isInstanceOf(LaunchBlockedException.class).hasMessageContaining("kernel=write_at").hasMessageContaining("write of address=0x%x".formatted(a.address() + 12))
                        .hasMessageContaining("opened by thread");
                assertThat(view.segment().getAtIndex(JAVA_INT, 3)).isEqualTo(3);
            }
            kernel(hmm, "write_at").args(a, 3L).launch(NDRange.of(1)).await();
            assertThat(a.getAtIndex(JAVA_INT, 3)).isEqualTo(77);
        }
    }

    /// A fault may be served when its kernel has ended and its memory is freed: it was taken for one of the kernel that ran then.
    @Test
    void nobodyAnswersForTheFaultsOfAKernelThatHasEnded() {
        try (Hmm hmm = builder(PAGE, 4 * leastPages() * PAGE).open()) {
            Kernel write = kernel(hmm, "update");
            List<Background<Boolean>> users = IntStream.range(0, 4).mapToObj(user -> Background.run(() -> {
                SplittableRandom random = new SplittableRandom(user);
                for (int i = 0; i < 300; i++) {
                    int count = (1 + random.nextInt(16)) * INTS;
                    MemorySegment a = hmm.heap().allocate(JAVA_INT, count);
                    write.args(a, i).launch(NDRange.of(count)).await();
                    assertThat(a.getAtIndex(JAVA_INT, count - 1)).isEqualTo(i);
                    hmm.heap().free(a);
                }
            })).toList();
            users.forEach(Background::join);
        }
    }

    @Test
    void anAccessToNoRegionEndsTheLaunch() {
        try (Hmm hmm = open()) {
            MemorySegment a = ints(hmm, INTS);
            MemorySegment b = ints(hmm, INTS);
            long behind = INTS + 5;
            Launch wild = kernel(hmm, "write_at").args(a, behind).launch(NDRange.of(1));
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(wild::await).isInstanceOfSatisfying(AccessViolationException.class, violation -> {
                    assertThat(violation.kind()).isEqualTo(AccessViolationException.Kind.OUTSIDE);
                    assertThat(violation.addressBytes()).isEqualTo(a.address() + behind * Integer.BYTES);
                }).hasMessageContaining("kernel=write_at")
                        .hasMessageContaining("in no region of the heap, 20 bytes behind the end of region=[0x");
            }
            assertThat(b.getAtIndex(JAVA_INT, 5)).isEqualTo(5);
            MemorySegment out = hmm.heap().allocate(JAVA_INT, 1);
            Launch reads = kernel(hmm, "read_at").args(a, hmm.heap().capacityBytes() / 8, out).launch(NDRange.of(1));
            assertThatThrownBy(reads::await).isInstanceOf(AccessViolationException.class).hasMessageContaining("refused read");
            assertThat(out.get(JAVA_INT, 0)).isOne(); // it read a zero
            MemorySegment c = hmm.heap().allocate(JAVA_INT, 100L * INTS);
            assertThat(c.toArray(JAVA_INT)).containsOnly(0);
            kernel(hmm, "update").args(a, 0).launch(NDRange.of(INTS)).await();
        }
    }

    /// Native code remembers it for as many launches as may be in flight, and as long as the heap is open: what was asked for later had gone well.
    @Test
    void whatAKernelDidWrongIsToldHoweverLateItIsAwaited() {
        List<Launch> launches;
        long address;
        try (Hmm hmm = open()) {
            MemorySegment a = ints(hmm, INTS);
            address = a.address();
            Kernel write = kernel(hmm, "write_at");
            launches = LongStream.range(0, 300).mapToObj(i -> write.args(a, INTS + i).launch(NDRange.of(1))).toList();
            for (int i = 0; i < 299; i++) {
                assertViolation(launches.get(i), address + (INTS + i) * Integer.BYTES);
            }
        }
        assertViolation(launches.get(299), address + (INTS + 299L) * Integer.BYTES);
    }

    private static void assertViolation(Launch launch, long addressBytes) {
        assertThatThrownBy(launch::await).isInstanceOfSatisfying(AccessViolationException.class, violation -> assertThat(violation.addressBytes()).isEqualTo(addressBytes));
    }

    /// Page words are counted for it, which are gone then: that ended the JVM.
    @Test
    void whatAClosedHeapHasOnItsDevicesIsNotCounted() {
        Hmm hmm = open();
        hmm.close();
        assertThatThrownBy(() -> hmm.device().usedBytes()).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
    }

    @Test
    void aProtectionIsKept() {
        try (Hmm hmm = open()) {
            MemorySegment a = ints(hmm, 2 * INTS);
            kernel(hmm, "update").args(a, 0).launch(NDRange.of(2 * INTS)).await();
            hmm.heap().protect(a, Protection.READ);
            Launch refused = kernel(hmm, "write_at").reads("a").args(a, 7L).launch(NDRange.of(1));
            assertThatThrownBy(refused::await).isInstanceOfSatisfying(AccessViolationException.class,
                    violation -> assertThat(violation.kind()).isEqualTo(AccessViolationException.Kind.PERMISSION));
            assertThat(a.getAtIndex(JAVA_INT, 7)).isEqualTo(21);
            hmm.heap().protect(a, Protection.READ_WRITE);
            kernel(hmm, "write_at").args(a, 7L).launch(NDRange.of(1)).await();
            assertThat(a.getAtIndex(JAVA_INT, 7)).isEqualTo(77);
        }
    }

    @Test
    void regionsGoAndMoveWhileTheDeviceHasThem() {
        try (Hmm hmm = open()) {
            for (int i = 0; i < 50; i++) {
                MemorySegment a = ints(hmm, 3 * INTS);
                kernel(hmm, "update").args(a, i).launch(NDRange.of(3 * INTS)).await();
                MemorySegment moved = hmm.heap().move(a);
                assertThat(moved.getAtIndex(JAVA_INT, 2)).isEqualTo(6 + i);
                kernel(hmm, "update").args(moved, i).launch(NDRange.of(3 * INTS)).await();
                if (i % 2 == 0) {
                    hmm.heap().discard(moved);
                    assertThat(moved.toArray(JAVA_INT)).containsOnly(0);
                }
                hmm.heap().free(moved);
                assertThat(hmm.device().usedBytes()).isZero();
            }
        }
    }

    @Test
    void whatAKernelUsesIsFreedWhenItHasEnded() {
        try (Hmm hmm = open()) {
            int count = 256 * INTS;
            Kernel update = kernel(hmm, "update");
            for (int i = 0; i < 10; i++) {
                MemorySegment a = hmm.heap().allocate(JAVA_INT, count);
                Launch launch = update.args(a, 1).launch(NDRange.of(count));
                hmm.heap().free(a);
                launch.await();
                Arena arena = hmm.heap().arena();
                MemorySegment b = arena.allocate(JAVA_INT, count);
                launch = update.args(b, 2).launch(NDRange.of(count));
                arena.close();
                launch.await();
            }
        }
    }

    /// Behind others of the same kernel it was not known to whoever freed what it uses: it ran on what had come to lie there since.
    @Test
    void whatALaunchUsesStaysWhileItWaitsForItsTurn() {
        assumeTrue(FirstDevice.tellsOfRunningKernels(), "who launches waits for the kernel before");
        try (Hmm hmm = builder(PAGE, leastPages() * PAGE).heap(ByteSize.mib(16)).open()) {
            int count = Math.toIntExact(ByteSize.mib(9) / Integer.BYTES); // which has one place only
            Kernel update = kernel(hmm, "update");
            MemorySegment held = ints(hmm, INTS);
            MemorySegment other = ints(hmm, INTS);
            MemorySegment large = ints(hmm, count);
            Launch first;
            Background<Launch> second;
            Background<Launch> third;
            Background<MemorySegment> anew;
            try (HostView _ = hmm.heap().sharedView(held, Access.WRITE)) {
                first = update.args(held, 1).launch(NDRange.of(INTS));
                second = Background.call(() -> update.args(other, 1).launch(NDRange.of(INTS))).awaitWaiting();
                third = Background.call(() -> update.args(large, 77).launch(NDRange.of(count))).awaitWaiting();
                anew = Background.call(() -> {
                    hmm.heap().free(large);
                    return hmm.heap().allocate(JAVA_INT, count);
                }).awaitWaiting();
            }
            first.await();
            second.join().await();
            third.join().await();
            assertThat(anew.join().address()).isEqualTo(large.address());
            assertThat(anew.join().toArray(JAVA_INT)).containsOnly(0);
        }
    }

    /// The first runs until it is let go.
    @Test
    void aLaunchSaysThatItHadNotItsTurnInTime() {
        Source busy = Source.text("busy.cl", "kernel void busy(volatile global int *go, global int *out) { while (!*go) {} *out = 1; }");
        assumeTrue(FirstDevice.runsLongLoops(), "kernels of this device end loops early");
        try (Hmm hmm = builder(PAGE, leastPages() * PAGE).touchTimeout(Duration.ofMillis(50)).open()) {
            MemorySegment go = hmm.heap().allocate(PAGE, PAGE);
            MemorySegment a = hmm.heap().allocate(PAGE, PAGE);
            MemorySegment b = hmm.heap().allocate(PAGE, PAGE);
            Kernel kernel = hmm.program(busy).kernel("busy");
            Launch first = kernel.args(go, a).launch(NDRange.of(1));
            try {
                assertThatThrownBy(() -> kernel.args(go, b).launch(NDRange.of(1))).isInstanceOf(LaunchBlockedException.class).hasMessageContainingAll("kernel=busy", "for the kernel before it", "touchTimeout");
            } finally {
                go.set(JAVA_INT, 0, 1);
            }
            first.await();
            kernel.args(go, b).launch(NDRange.of(1)).await();
            assertThat(b.get(JAVA_INT, 0)).isOne();
        }
    }

    /// The kernel waits for the view, so nobody who is refused because of that may wait for the kernel.
    @Test
    void aViewRefusesAChangeAtOnce() {
        assumeTrue(FirstDevice.tellsOfRunningKernels(), "who launches waits for the kernel, and so for the view");
        try (Hmm hmm = builder(PAGE, leastPages() * PAGE).touchTimeout(Duration.ofMinutes(10)).open()) {
            MemorySegment a = ints(hmm, 4 * INTS);
            HostView view = hmm.heap().sharedView(a, Access.WRITE);
            Launch launch = kernel(hmm, "update").args(a, 1).launch(NDRange.of(4 * INTS));
            assertThatThrownBy(() -> hmm.heap().free(a)).isInstanceOf(IllegalStateException.class).hasMessageContaining("free refused");
            assertThatThrownBy(() -> hmm.heap().protect(a, Protection.READ)).isInstanceOf(IllegalStateException.class).hasMessageContaining("protect READ refused");
            view.close();
            launch.await();
        }
    }

    @Test
    void whatAKernelUsesIsProtectedWhenItHasEnded() {
        try (Hmm hmm = open()) {
            int count = 256 * INTS;
            Kernel update = kernel(hmm, "update");
            MemorySegment a = hmm.heap().allocate(JAVA_INT, count);
            for (int i = 0; i < 10; i++) {
                Launch launch = update.args(a, 1).launch(NDRange.of(count));
                hmm.heap().protect(a, i % 2 == 0 ? Protection.READ : Protection.NONE);
                launch.await();
                hmm.heap().protect(a, Protection.READ_WRITE);
            }
        }
    }

    @Test
    void aRegionIsMovedUnderARunningKernel() {
        try (Hmm hmm = open()) {
            int count = 100 * INTS;
            MemorySegment a = hmm.heap().allocate(JAVA_INT, count);
            Launch launch = kernel(hmm, "add_often").args(a, count, 1_000).launch(NDRange.of(4));
            MemorySegment moved = hmm.heap().move(a);
            try {
                launch.await();
            } catch (AccessViolationException e) {
                assertThat(e.kind()).isEqualTo(AccessViolationException.Kind.OUTSIDE); // it was not through
            }
            long sum = 0;
            for (int value : moved.toArray(JAVA_INT)) {
                sum += value;
            }
            assertThat(sum).isBetween(0L, 4_000L);
        }
    }

    @Test
    void contentsAreGivenUpUnderARunningKernel() {
        try (Hmm hmm = open()) {
            int count = 100 * INTS;
            MemorySegment a = hmm.heap().allocate(JAVA_INT, count);
            Launch launch = kernel(hmm, "add_often").args(a, count, 2_000).launch(NDRange.of(4));
            for (int i = 0; i < 20; i++) {
                hmm.heap().discard(a);
            }
            launch.await();
            long sum = 0;
            for (int value : a.toArray(JAVA_INT)) {
                sum += value;
            }
            assertThat(sum).isBetween(0L, 8_000L);
            hmm.heap().discard(a);
            assertThat(a.toArray(JAVA_INT)).containsOnly(0);
            assertThat(hmm.device().usedBytes()).isZero();
        }
    }

    @Test
    void whatCannotBeIsRefusedByName() {
        try (Hmm hmm = open()) {
            long least = leastPages() * PAGE;
            assertThatThrownBy(() -> builder(PAGE, least - PAGE).open()).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("budgetBytes=" + (least - PAGE)).hasMessageContaining("at least " + least);
            assertThatThrownBy(() -> Hmm.builder().hostAccess(HostAccess.Mode.UFFD_IN_THREAD).deviceFaults().open()).isInstanceOf(HostAccessUnavailableException.class)
                    .hasMessageContaining("UFFD_IN_THREAD");
            assertThatThrownBy(() -> Hmm.builder().hostAccess(HostAccess.Mode.CHECKED).deviceFaults().open()).isInstanceOf(HostAccessUnavailableException.class)
                    .hasMessage("deviceFaults needs userfaultfd or SIGSEGV, and hostAccess=CHECKED: it was asked for");
            long most = hmm.device().info().maxAllocationBytes();
            long whole = most / ByteSize.mib(2) * ByteSize.mib(2);
            assertThatThrownBy(() -> builder(PAGE, least).heap(whole + ByteSize.mib(2)).open()).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("deviceFaults: heapBytes=" + (whole + ByteSize.mib(2)) + ", must be at most maxAllocationBytes=" + most, "device=" + hmm.device().info().name(), "HmmBuilder.heap");
            try (Hmm largest = builder(PAGE, least).heap(whole).open()) {
                assertThat(largest.heap().capacityBytes()).isEqualTo(whole);
                assertThat(largest.device().placementWhy()).isEqualTo("its kernels fault");
            }
            assertThatThrownBy(() -> Hmm.builder().exclusive().deviceFaults().open()).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("exclusive=true");
            assertThatThrownBy(() -> Hmm.builder().hostOnly().deviceFaults().open()).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("devices=0");
            MemorySegment a = ints(hmm, INTS);
            assertThatThrownBy(() -> hmm.heap().prefetch(a, hmm.device())).isInstanceOf(IllegalStateException.class).hasMessageContaining("deviceFaults");
            assertThatThrownBy(() -> kernel(hmm, "update").args(a.asSlice(4), 1).launch(NDRange.of(1))).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("does not start at a multiple of");
            hmm.evictAll(hmm.device());
            assertThat(hmm.device().usedBytes()).isZero();
        }
    }
}
