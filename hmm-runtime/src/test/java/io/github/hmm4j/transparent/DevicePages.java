package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import java.lang.foreign.MemorySegment;
import org.opentest4j.TestAbortedException;

/// A heap on one rung, and managed memory whose only copy is on the device when a test begins: whoever gets the right bytes out of it has faulted.
final class DevicePages implements AutoCloseable {

    /// How the pages came to be on the device.
    enum Way { PREFETCHED, WRITTEN_BY_A_KERNEL }

    private static final int PAGE_BYTES = 16 << 10;
    private static final int DELTA = 0x01020304;

    private final Hmm hmm;
    private final Kernel addInts;

    /// @throws TestAbortedException if this machine does not have the rung
    DevicePages(Mode mode) {
        try {
            hmm = Hmm.builder().heap(ByteSize.mib(64)).pageSize(PAGE_BYTES).hostAccess(mode).open();
        } catch (HostAccessUnavailableException e) {
            throw new TestAbortedException(e.getMessage(), e);
        }
        addInts = hmm.program(Source.resource("access.cl")).kernel("add_ints");
    }

    Hmm hmm() {
        return hmm;
    }

    ManagedHeap heap() {
        return hmm.heap();
    }

    /// New managed memory with the bytes of `contents`, whole ints, all of it on the device.
    MemorySegment holding(MemorySegment contents, Way way) {
        MemorySegment managed = heap().allocateFrom(JAVA_BYTE, contents, JAVA_BYTE, 0, contents.byteSize());
        switch (way) {
            case PREFETCHED -> heap().prefetch(managed, hmm.device());
            case WRITTEN_BY_A_KERNEL -> {
                int count = Math.toIntExact(managed.byteSize() / Integer.BYTES);
                for (int i = 0; i < count; i++) {
                    managed.setAtIndex(JAVA_INT, i, managed.getAtIndex(JAVA_INT, i) - DELTA);
                }
                addInts.args(managed, DELTA, count).launch(NDRange.of(count)).await();
            }
        }
        assertOnDevice(managed);
        return managed;
    }

    /// All of it, and nothing on the host.
    void assertOnDevice(MemorySegment managed) {
        long wholePages = Math.ceilDiv(managed.byteSize(), PAGE_BYTES) * PAGE_BYTES;
        assertThat(heap().residency(managed).onDevice(hmm.device())).as("bytes on the device of %s", managed).isEqualTo(wholePages);
    }

    /// Pages that faults have brought home so far.
    long fetched() {
        return hmm.report().count(Counter.FAULT_FETCHED_PAGES);
    }

    @Override
    public void close() {
        hmm.close();
    }
}
