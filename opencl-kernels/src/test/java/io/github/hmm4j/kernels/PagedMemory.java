package io.github.hmm4j.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;

/// A heap of random bytes that grows to whole pages; arrays are placed behind random gaps. Where kernels take its addresses as they are, those are the addresses of memory.
final class PagedMemory {
    private static final int MOST_BYTES = 1 << 17;
    private static final int LARGEST_VECTOR = 128;

    final SplittableRandom random;
    final int pageShift;
    final long base;
    private final MemorySegment host;
    private final ByteBuffer bytes;
    private int end;

    PagedMemory(PagedTest.Form form, SplittableRandom random) {
        this(form, random.nextInt(4, 11), random);
    }

    PagedMemory(PagedTest.Form form, int pageShift, SplittableRandom random) {
        this.random = random;
        this.pageShift = pageShift;
        this.host = Arena.ofAuto().allocate(MOST_BYTES, Math.max(LARGEST_VECTOR, 1 << pageShift));
        this.base = form == PagedTest.Form.PLAIN ? host.address() : PagedTest.BASES[random.nextInt(PagedTest.BASES.length)];
        this.bytes = ByteBuffer.wrap(Seeded.bytes(random, MOST_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /// Memory at the addresses of the heap, with what the heap holds.
    MemorySegment host() {
        byte[] heap = heap();
        return host.asSlice(0, heap.length).copyFrom(MemorySegment.ofArray(heap));
    }

    long place(long lengthBytes, int alignment) {
        int at = end + random.nextInt(100) + alignment - 1 & -alignment;
        end = Math.toIntExact(at + lengthBytes);
        return base + at;
    }

    byte[] heap() {
        int pageBytes = 1 << pageShift;
        return Arrays.copyOf(bytes.array(), Math.max(1, Math.ceilDiv(end, pageBytes)) * pageBytes);
    }

    void floats(long at, float... values) {
        bytes.slice(index(at), 4 * values.length).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    }

    void ints(long at, int... values) {
        bytes.slice(index(at), 4 * values.length).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().put(values);
    }

    void longs(long at, long... values) {
        bytes.slice(index(at), 8 * values.length).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(values);
    }

    void bytes(long at, byte... values) {
        bytes.put(index(at), values);
    }

    /// A copy.
    byte[] bytesAt(long at, int lengthBytes) {
        byte[] copy = new byte[lengthBytes];
        bytes.get(index(at), copy);
        return copy;
    }

    int index(long at) {
        return Math.toIntExact(at - base);
    }
}
