package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.device.NativeGather;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageWord;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/// Gives native code a kernel for what lies apart on a device, once so much of that has come home that it is worth to compile one.
///
/// Threads: any.
final class Gathering {

    /// Runs that have come home by a command for each.
    private static final long WORTH_COMPILING = 256;
    /// So few at once do not count for that.
    private static final long FEW = 8;

    private final ManagedPages heap;
    private final long pager;
    private final AtomicLongArray runs = new AtomicLongArray(PageWord.MAX_DEVICES);
    private final AtomicInteger wanted = new AtomicInteger(); // bit d for device d

    Gathering(ManagedPages heap, long pager) {
        this.heap = heap;
        this.pager = pager;
    }

    /// Notes what has come. Takes nothing from the Java heap and never fails: pages may have been pinned.
    ///
    /// @param devices bit d is set if something came from device d
    /// @param count   in how many runs that lay
    void came(long devices, long count) {
        if (count < FEW || Long.bitCount(devices) != 1) {
            return;
        }
        int device = Long.numberOfTrailingZeros(devices);
        long before = runs.getAndAdd(device, count);
        if (before < WORTH_COMPILING && before + count >= WORTH_COMPILING) {
            int bits = wanted.get(); // a function that says how to change it would take memory
            while (!wanted.compareAndSet(bits, bits | 1 << device)) {
                bits = wanted.get();
            }
        }
    }

    /// Makes the kernels that are wanted, before something comes home. Where one cannot be had it is done without.
    void prepare() {
        if (wanted.get() == 0) {
            return;
        }
        int devices = wanted.getAndSet(0);
        for (int device = 0; device < PageWord.MAX_DEVICES; device++) {
            if ((devices >> device & 1) != 0) {
                int number = device;
                heap.mirror(device).device().nativeGather().ifPresent(gather -> give(number, gather));
            }
        }
    }

    private void give(int device, NativeGather gather) {
        long[] words = Arrays.copyOf(new long[] {gather.queue(), gather.kernel(), gather.items(), gather.measured() ? 1 : 0}, PagerCalls.GATHER_WORDS);
        for (int i = 0; i < gather.packed().size(); i++) {
            words[PagerCalls.GATHER_WORDS - gather.packed().size() + i] = gather.packed().get(i);
        }
        try (Arena arena = Arena.ofConfined()) {
            int result = PagerCalls.setGather(pager, device, arena.allocateFrom(JAVA_LONG, words));
            assert result == 0 : "hmm_set_gather=" + result;
        }
    }
}
