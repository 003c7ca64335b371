package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.FirstDevice;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.Ladder;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The scenarios of the kernel in which a device reads or writes, where its kernels fault as the kernel's device does, under their names: a load or store of a page that is not there is served, and
/// counted. A page comes alone here, so a fault round is as many faults as there are pages, each once; what is there faults no more.
@Timeout(60)
class FaultingScenariosTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / Integer.BYTES;
    private static final int PAGES = 16;
    private static final int COUNT = PAGES * INTS;
    private static final int TIMES = 10;

    private static final Source KERNELS = Source.text("dmirror.cl", """
            __kernel void dread(__global const int *from, __global int *out, int n) { for (int i = 0; i < n; i++) out[i] = from[i]; }
            __kernel void dwrite(__global int *to, int n, int first) { for (int i = 0; i < n; i++) to[i] = first + i; }
            """);

    private Hmm hmm;
    private Kernel dread;
    private Kernel dwrite;

    HostAccess.Mode mode() {
        return HostAccess.Mode.UFFD;
    }

    @BeforeEach
    void open() {
        assumeTrue(mode() != HostAccess.Mode.UFFD || Ladder.best().mode() == HostAccess.Mode.UFFD, "userfaultfd cannot be had here");
        assumeTrue(FirstDevice.worksInHostMemory(), "kernels of this device cannot fault");
        hmm = Hmm.builder().hostAccess(mode()).heap(ByteSize.mib(16)).pageSize(PAGE).budget(ByteSize.mib(8)).faultAround(0).deviceFaults().open();
        dread = hmm.program(KERNELS).kernel("dread");
        dwrite = hmm.program(KERNELS).kernel("dwrite");
    }

    @AfterEach
    void close() {
        if (hmm != null) {
            hmm.close();
        }
    }

    /// Pages that faults have brought, and allowed to be written, since the last call.
    private record Faults(long reads, long writes, long upgrades) {}

    private Faults faults(Runnable launch) {
        Faults before = faultsSoFar();
        launch.run();
        Faults now = faultsSoFar();
        return new Faults(now.reads - before.reads, now.writes - before.writes, now.upgrades - before.upgrades);
    }

    private Faults faultsSoFar() {
        assertThat(hmm.report().count(Counter.DEVICE_AHEAD)).isZero();
        return new Faults(hmm.report().count(Counter.DEVICE_BROUGHT_READ), hmm.report().count(Counter.DEVICE_BROUGHT_WRITE), hmm.report().count(Counter.DEVICE_UPGRADES));
    }

    private MemorySegment allocate() {
        return hmm.heap().allocate((long) PAGES * PAGE, PAGE);
    }

    private MemorySegment ramp(int first) {
        MemorySegment segment = allocate();
        for (int i = 0; i < COUNT; i++) {
            segment.setAtIndex(JAVA_INT, i, first + i);
        }
        return segment;
    }

    private static int[] rampOf(int first) {
        int[] ramp = new int[COUNT];
        for (int i = 0; i < COUNT; i++) {
            ramp[i] = first + i;
        }
        return ramp;
    }

    private void read(MemorySegment from, MemorySegment out) {
        dread.args(from, out, COUNT).launch(NDRange.of(1)).await();
    }

    private void write(MemorySegment to, int first) {
        dwrite.args(to, COUNT, first).launch(NDRange.of(1)).await();
    }

    @Test
    void anon_read() {
        MemorySegment buffer = allocate();
        for (int i = 2 * INTS; i < COUNT; i++) {
            buffer.setAtIndex(JAVA_INT, i, i);
        }
        hmm.heap().protect(buffer, Protection.READ);
        assertThat(buffer.getAtIndex(JAVA_INT, INTS)).isZero();
        MemorySegment out = allocate();
        assertThat(faults(() -> dread.reads("from").args(buffer, out, COUNT).launch(NDRange.of(1)).await())).isEqualTo(new Faults(PAGES, PAGES, 0));
        assertThat(faults(() -> dread.reads("from").args(buffer, out, COUNT).launch(NDRange.of(1)).await())).as("all is there").isEqualTo(new Faults(0, 0, 0));
        int[] expected = rampOf(0);
        Arrays.fill(expected, 0, 2 * INTS, 0);
        assertThat(out.toArray(JAVA_INT)).isEqualTo(expected);
        assertThat(buffer.toArray(JAVA_INT)).isEqualTo(expected);
    }

    @Test
    void anon_read_prot() {
        MemorySegment buffer = ramp(0);
        MemorySegment out = ramp(7);
        write(out, -COUNT); // the device has it
        hmm.heap().protect(buffer, Protection.NONE);
        assertThatThrownBy(() -> read(buffer, out)).isInstanceOfSatisfying(AccessViolationException.class, violation -> {
            assertThat(violation.kind()).isEqualTo(AccessViolationException.Kind.FAULT);
            assertThat(violation.addressBytes()).isEqualTo(buffer.address());
        });
        assertThat(out.toArray(JAVA_INT)).as("a running kernel has read zeros, and nothing of what is there").containsOnly(0);
        hmm.heap().protect(buffer, Protection.READ_WRITE);
        assertThat(buffer.toArray(JAVA_INT)).isEqualTo(rampOf(0));
    }

    @Test
    void anon_write() {
        MemorySegment buffer = allocate();
        assertThat(faults(() -> write(buffer, 3))).isEqualTo(new Faults(0, PAGES, 0));
        assertThat(buffer.toArray(JAVA_INT)).isEqualTo(rampOf(3));
        assertThat(faults(() -> write(buffer, 4))).as("the host has copies now").isEqualTo(new Faults(0, 0, PAGES));
        assertThat(buffer.toArray(JAVA_INT)).isEqualTo(rampOf(4));
    }

    @Test
    void anon_write_prot() {
        MemorySegment buffer = allocate();
        hmm.heap().protect(buffer, Protection.READ);
        MemorySegment out = allocate();
        assertThat(faults(() -> dread.reads("from").args(buffer, out, INTS).launch(NDRange.of(1)).await())).isEqualTo(new Faults(1, 1, 0));
        assertThatThrownBy(() -> dwrite.reads("to").args(buffer, COUNT, 1).launch(NDRange.of(1)).await()).isInstanceOfSatisfying(AccessViolationException.class,
                violation -> assertThat(violation.kind()).isEqualTo(AccessViolationException.Kind.PERMISSION));
        assertThat(buffer.toArray(JAVA_INT)).containsOnly(0);
        hmm.heap().protect(buffer, Protection.READ_WRITE);
        write(buffer, 1);
        assertThat(buffer.toArray(JAVA_INT)).isEqualTo(rampOf(1));
    }

    @Test
    void anon_read_multiple() {
        MemorySegment out = allocate();
        for (int c = 0; c < TIMES; c++) {
            MemorySegment buffer = ramp(c);
            Faults counted = faults(() -> read(buffer, out));
            assertThat(counted.reads + counted.writes).as("of the buffer, and of the result the first time").isEqualTo(c == 0 ? 2 * PAGES : PAGES);
            assertThat(out.toArray(JAVA_INT)).isEqualTo(rampOf(c));
            hmm.heap().free(buffer);
        }
    }

    @Test
    void anon_teardown() throws InterruptedException {
        for (int i = 0; i < TIMES; i++) {
            int first = i;
            MemorySegment buffer = ramp(first);
            MemorySegment out = allocate();
            Racers.run(() -> hmm.heap().free(buffer.asSlice((long) PAGES / 2 * PAGE)), () -> {
                try {
                    read(buffer, out);
                } catch (IllegalArgumentException e) {
                    assertThat(e).hasMessageMatching(".*(was freed|is not within one managed region).*");
                    return;
                } catch (AccessViolationException e) {
                    assertThat(e.kind()).isEqualTo(AccessViolationException.Kind.OUTSIDE);
                    return;
                }
                assertThat(out.toArray(JAVA_INT)).isEqualTo(rampOf(first));
            });
            MemorySegment half = buffer.asSlice(0, (long) PAGES / 2 * PAGE);
            assertThat(half.toArray(JAVA_INT)).isEqualTo(Arrays.copyOf(rampOf(first), COUNT / 2));
            hmm.heap().free(half);
            hmm.heap().free(out);
        }
        assertThat(hmm.heap().usedBytes()).isZero();
        assertThat(hmm.device().usedBytes()).isZero();
    }
}
