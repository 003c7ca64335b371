package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.Ladder;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Kernels of two devices of one heap, both of which fault: what one has, the other one takes.
@Tag("two-devices")
@Timeout(60)
class TwoFaultingDevicesTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / Integer.BYTES;

    private static final Source PLAIN = Source.text("plain.cl", """
            __kernel void update(__global int *a, int k) { size_t i = get_global_id(0); a[i] = a[i] * 3 + k; }
            __kernel void sum(__global const int *a, __global long *out, int n) {
              long s = 0;
              for (int i = 0; i < n; i++) s += a[get_global_id(0) * n + i];
              out[get_global_id(0)] = s;
            }
            __kernel void add_often(volatile __global int *a, int n, int times) {
              for (int i = 0; i < times; i++) atomic_inc(&a[(get_global_id(0) * 7919 + i * 1031) % n]);
            }
            __kernel void fill(__global int *a, int n, int k) { for (int i = 0; i < n; i++) a[i] = k; }
            __kernel void write_at(__global int *a, long at) { a[at] = 77; }
            """);

    private long least;

    HostAccess.Mode mode() {
        return HostAccess.Mode.UFFD;
    }

    @BeforeEach
    void needsTwoDevicesThatFault() {
        assumeTrue(mode() != HostAccess.Mode.UFFD || Ladder.best().mode() == HostAccess.Mode.UFFD, "userfaultfd cannot be had here");
        try (Hmm any = Hmm.builder().allDevices().heap(ByteSize.mib(2)).open()) {
            assumeTrue(any.devices().size() == 2 && any.devices().stream().allMatch(device -> device.info().unifiedMemory()), "two devices that work in host memory");
            least = 33L * any.device().info().computeUnits() * PAGE;
        }
    }

    private HmmBuilder builder() {
        return Hmm.builder().hostAccess(mode()).allDevices().heap(ByteSize.mib(16)).pageSize(PAGE).budget(least).deviceFaults();
    }

    private Hmm open() {
        return builder().open();
    }

    private static Kernel kernel(Hmm hmm, String name) {
        return hmm.program(PLAIN).kernel(name);
    }

    @Test
    void eachTakesWhatTheOtherHas() {
        try (Hmm hmm = open()) {
            int count = 500 * INTS;
            int items = 20;
            MemorySegment a = hmm.heap().allocate(JAVA_INT, count);
            MemorySegment sums = hmm.heap().allocate(JAVA_LONG, items);
            int[] expected = new int[count];
            Kernel update = kernel(hmm, "update");
            Kernel add = kernel(hmm, "sum");
            for (int k = 1; k <= 6; k++) {
                HmmDevice updates = hmm.devices().get(k % 2);
                HmmDevice adds = hmm.devices().get(k / 2 % 2);
                update.args(a, k).launch(NDRange.of(count), updates).await();
                add.args(a, Arg.out(sums), count / items).launch(NDRange.of(items), adds).await();
                for (int i = 0; i < count; i++) {
                    expected[i] = expected[i] * 3 + k;
                }
                for (int item = 0; item < items; item++) {
                    long sum = 0;
                    for (int i = 0; i < count / items; i++) {
                        sum += expected[item * (count / items) + i];
                    }
                    assertThat(sums.getAtIndex(JAVA_LONG, item)).isEqualTo(sum);
                }
                hmm.devices().forEach(device -> assertThat(device.usedBytes()).isLessThanOrEqualTo(least));
            }
            assertThat(a.toArray(JAVA_INT)).isEqualTo(expected);
            assertThat(hmm.report().count(Counter.DEVICE_REFUSED)).isZero();
            hmm.evictAll(hmm.devices().getFirst());
            assertThat(hmm.devices().getFirst().usedBytes()).isZero();
        }
    }

    /// Each page alone, and each fault counted.
    @Test
    void whatIsThereFaultsNoMoreAndGoesPastTheHost() {
        int pages = 16;
        try (Hmm hmm = builder().faultAround(0).open()) {
            MemorySegment a = hmm.heap().allocate(JAVA_INT, pages * INTS);
            MemorySegment sums = hmm.heap().allocate(JAVA_LONG, 1);
            Kernel fill = kernel(hmm, "fill");
            Kernel add = kernel(hmm, "sum");
            HmmDevice one = hmm.devices().get(0);
            HmmDevice other = hmm.devices().get(1);
            fill.args(a, pages * INTS, 5).launch(NDRange.of(1), one).await();
            assertThat(faults(hmm)).containsExactly(0, pages, 0);
            add.args(a, sums, pages * INTS).launch(NDRange.of(1), other).await();
            assertThat(faults(hmm)).as("and the sum").containsExactly(pages, pages + 1, 0);
            add.args(a, sums, pages * INTS).launch(NDRange.of(1), other).await();
            assertThat(faults(hmm)).containsExactly(pages, pages + 1, 0);
            fill.args(a, pages * INTS, 6).launch(NDRange.of(1), one).await();
            assertThat(faults(hmm)).as("it has them to read").containsExactly(pages, pages + 1, pages);
            fill.args(a, pages * INTS, 7).launch(NDRange.of(1), other).await();
            assertThat(faults(hmm)).containsExactly(pages, 2 * pages + 1, pages);
            assertThat(hmm.report().count(Counter.DEVICE_WRITTEN_BACK)).as("the host has nothing to do with it").isZero();
            assertThat(a.toArray(JAVA_INT)).containsOnly(7);
            assertThat(sums.get(JAVA_LONG, 0)).isEqualTo(5L * pages * INTS);
        }
    }

    private static long[] faults(Hmm hmm) {
        return new long[] {hmm.report().count(Counter.DEVICE_BROUGHT_READ), hmm.report().count(Counter.DEVICE_BROUGHT_WRITE), hmm.report().count(Counter.DEVICE_UPGRADES)};
    }

    @Test
    void bothAndTheHostAddToTheSameWords() {
        try (Hmm hmm = open()) {
            int count = 200 * INTS;
            int times = 300;
            MemorySegment a = hmm.heap().allocate(JAVA_INT, count);
            List<Launch> launches = hmm.devices().stream().map(device -> kernel(hmm, "add_often").args(a, count, times).launch(NDRange.of(16), device)).toList();
            SplittableRandom random = new SplittableRandom(11);
            var element = JAVA_INT.arrayElementVarHandle();
            int added = 0;
            while (added < 2_000) {
                int ignored = (int) element.getAndAdd(a, 0L, (long) random.nextInt(count), 1);
                added += ignored >= 0 ? 1 : 0;
            }
            launches.forEach(Launch::await);
            long sum = 0;
            for (int value : a.toArray(JAVA_INT)) {
                sum += value;
            }
            assertThat(sum).isEqualTo(2 * 16L * times + added);
        }
    }

    @Test
    void eachLaunchAnswersForItsOwnAccesses() {
        try (Hmm hmm = open()) {
            MemorySegment a = hmm.heap().allocate(JAVA_INT, INTS);
            Launch wild = kernel(hmm, "write_at").args(a, INTS + 5L).launch(NDRange.of(1), hmm.devices().get(1));
            Launch tame = kernel(hmm, "write_at").args(a, 5L).launch(NDRange.of(1), hmm.devices().get(0));
            assertThatThrownBy(wild::await).isInstanceOfSatisfying(AccessViolationException.class, violation -> assertThat(violation.kind()).isEqualTo(AccessViolationException.Kind.OUTSIDE));
            tame.await();
            assertThat(a.getAtIndex(JAVA_INT, 5)).isEqualTo(77);
        }
    }

    @Test
    void regionsAreProtectedMovedAndFreedWhileBothHaveThem() {
        try (Hmm hmm = open()) {
            Kernel update = kernel(hmm, "update");
            Kernel sum = kernel(hmm, "sum");
            Kernel write = kernel(hmm, "write_at").reads("a");
            for (int i = 0; i < 30; i++) {
                int count = 3 * INTS;
                MemorySegment a = hmm.heap().allocate(JAVA_INT, count);
                MemorySegment sums = hmm.heap().allocate(JAVA_LONG, 1);
                HmmDevice one = hmm.devices().get(i % 2);
                HmmDevice other = hmm.devices().get(1 - i % 2);
                update.args(a, i).launch(NDRange.of(count), one).await();
                sum.args(a, Arg.out(sums), count).launch(NDRange.of(1), other).await();
                assertThat(sums.get(JAVA_LONG, 0)).isEqualTo((long) i * count);
                hmm.heap().protect(a, Protection.READ);
                assertThatThrownBy(() -> write.args(a, 7L).launch(NDRange.of(1), one).await()).isInstanceOf(AccessViolationException.class);
                hmm.heap().protect(a, Protection.READ_WRITE);
                MemorySegment moved = hmm.heap().move(a);
                assertThat(moved.toArray(JAVA_INT)).containsOnly(i);
                update.args(moved, 1).launch(NDRange.of(count), other).await();
                hmm.heap().discard(moved);
                assertThat(moved.toArray(JAVA_INT)).containsOnly(0);
                update.args(moved, 1).launch(NDRange.of(count), one).await();
                hmm.heap().free(moved);
                hmm.heap().free(sums);
                hmm.devices().forEach(device -> assertThat(device.usedBytes()).isZero());
            }
        }
    }
}
