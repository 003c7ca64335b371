package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import com.github.luben.zstd.Zstd;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.Adler32;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/// Code of the JDK, of the C library and of a compressor, to be run on memory whose pages are on a device.
final class LibraryCode {

    private static final Linker LINKER = Linker.nativeLinker();

    private LibraryCode() {}

    static List<Code> all() {
        return Stream.of(segments(), allocators(), buffers(ByteOrder.LITTLE_ENDIAN), buffers(ByteOrder.BIG_ENDIAN), libraries(), nativeCode()).flatMap(List::stream).toList();
    }

    private static List<Code> segments() {
        return List.of(
                new Code("MemorySegment.copy to an array", s -> {
                    byte[] all = new byte[(int) s.byteSize()];
                    MemorySegment.copy(s, JAVA_BYTE, 0, all, 0, all.length);
                    return HexFormat.of().formatHex(all);
                }),
                new Code("MemorySegment.copy within", s -> s.asSlice(12_345).copyFrom(s.asSlice(0, s.byteSize() - 12_345)).byteSize()),
                new Code("MemorySegment.copyFrom an array", s -> s.copyFrom(MemorySegment.ofArray(ramp(s.byteSize()))).byteSize()),
                new Code("MemorySegment.mismatch", s -> {
                    byte[] all = s.toArray(JAVA_BYTE);
                    all[all.length - 7]++;
                    return s.mismatch(MemorySegment.ofArray(all));
                }),
                new Code("MemorySegment.fill of the middle", s -> s.asSlice(1001, s.byteSize() - 2002).fill((byte) 0x5a).byteSize()),
                new Code("MemorySegment.setString", s -> {
                    s.setString(s.byteSize() - 4000, "grüße, κόσμε ".repeat(100));
                    return s.getString(s.byteSize() - 4000);
                }),
                new Code("MemorySegment.getString", s -> {
                    long end = s.byteSize() / 2;
                    s.set(JAVA_BYTE, end, (byte) 0);
                    return s.getString(end - 99, StandardCharsets.ISO_8859_1);
                }),
                new Code("MemorySegment.elements in parallel", s -> s.elements(JAVA_INT).parallel().mapToLong(each -> each.get(JAVA_INT, 0)).sum()),
                new Code("VarHandle, atomic", LibraryCode::atomics));
    }

    private static Object atomics(MemorySegment s) {
        VarHandle ints = JAVA_INT.arrayElementVarHandle();
        long sum = 0;
        for (long i = 0; i < s.byteSize() / Integer.BYTES; i += 1009) {
            int old = (int) ints.getAndAdd(s, 0L, i, 3);
            sum += old + (ints.compareAndSet(s, 0L, i, old + 3, ~old) ? 1 : 0) + (int) ints.getVolatile(s, 0L, i);
        }
        return sum;
    }

    private static List<Code> allocators() {
        return List.of(
                new Code("SegmentAllocator.slicingAllocator", s -> {
                    SegmentAllocator slices = SegmentAllocator.slicingAllocator(s);
                    return texts(slices, 1000).equals(texts(slices, 1000));
                }),
                new Code("SegmentAllocator.prefixAllocator", s -> texts(SegmentAllocator.prefixAllocator(s), 1)),
                new Code("SegmentAllocator.allocateFrom over whole pages", s -> {
                    SegmentAllocator slices = SegmentAllocator.slicingAllocator(s);
                    MemorySegment numbers = slices.allocateFrom(JAVA_LONG, new long[50_000]);
                    MemorySegment more = slices.allocateFrom(JAVA_FLOAT, 1.5f, 2.5f);
                    return numbers.byteSize() + (long) more.get(JAVA_FLOAT, 4);
                }));
    }

    /// Objects of many kinds, as an arena would hold them; what they say when they are read back.
    private static List<String> texts(SegmentAllocator allocator, int count) {
        return IntStream.range(0, count).mapToObj(i -> allocator.allocateFrom("entry " + i).getString(0)
                + allocator.allocateFrom(JAVA_DOUBLE, i / 3.0).get(JAVA_DOUBLE, 0)
                + allocator.allocateFrom(JAVA_SHORT, (short) i).get(JAVA_SHORT, 0)).toList();
    }

    /// Views of a byte buffer turn the elements round, so that every element is read and written; then the bulk methods.
    private static List<Code> buffers(ByteOrder order) {
        return List.of(
                new Code("ByteBuffer.asCharBuffer " + order, s -> {
                    CharBuffer b = buffer(s, order).asCharBuffer();
                    for (int i = 0, j = b.limit() - 1; i < j; i++, j--) {
                        char c = b.get(i);
                        b.put(i, (char) (b.get(j) + 1)).put(j, c);
                    }
                    return b.hashCode();
                }),
                new Code("ByteBuffer.asShortBuffer " + order, s -> {
                    ShortBuffer b = buffer(s, order).asShortBuffer();
                    for (int i = 0, j = b.limit() - 1; i < j; i++, j--) {
                        short c = b.get(i);
                        b.put(i, (short) (b.get(j) + 1)).put(j, c);
                    }
                    return b.hashCode();
                }),
                new Code("ByteBuffer.asIntBuffer " + order, s -> {
                    IntBuffer b = buffer(s, order).asIntBuffer();
                    for (int i = 0, j = b.limit() - 1; i < j; i++, j--) {
                        int c = b.get(i);
                        b.put(i, b.get(j) + 1).put(j, c);
                    }
                    int[] half = new int[b.limit() / 2];
                    b.get(3, half).put(5, half);
                    return Arrays.hashCode(half);
                }),
                new Code("ByteBuffer.asLongBuffer " + order, s -> {
                    LongBuffer b = buffer(s, order).asLongBuffer();
                    for (int i = 0, j = b.limit() - 1; i < j; i++, j--) {
                        long c = b.get(i);
                        b.put(i, b.get(j) + 1).put(j, c);
                    }
                    return b.hashCode();
                }),
                new Code("ByteBuffer.asFloatBuffer " + order, s -> {
                    FloatBuffer b = buffer(s, order).asFloatBuffer();
                    for (int i = 0; i < b.limit(); i++) {
                        b.put(i, Math.scalb(b.limit() - i, Float.isNaN(b.get(i)) ? 1 : -1));
                    }
                    return b.hashCode();
                }),
                new Code("ByteBuffer.asDoubleBuffer " + order, s -> {
                    DoubleBuffer b = buffer(s, order).asDoubleBuffer();
                    for (int i = 0; i < b.limit(); i++) {
                        b.put(i, Math.scalb(b.limit() - i, Double.isNaN(b.get(i)) ? 1 : -1));
                    }
                    return b.hashCode();
                }),
                new Code("ByteBuffer, unaligned " + order, s -> {
                    ByteBuffer b = buffer(s, order);
                    long sum = 0;
                    for (int at = 1; at < b.limit() - Long.BYTES; at += 4099) {
                        sum += b.getLong(at) ^ b.getChar(at) ^ Double.doubleToLongBits(b.getDouble(at));
                        b.putInt(at, (int) sum);
                    }
                    return sum;
                }),
                new Code("ByteBuffer, bulk " + order, s -> {
                    ByteBuffer b = buffer(s, order);
                    ByteBuffer copy = ByteBuffer.allocateDirect(b.limit()).put(b.duplicate()).flip();
                    b.put(100, copy, 0, b.limit() - 100).position(100);
                    return List.of(b.compareTo(copy), b.mismatch(copy.put(77_777, (byte) ~copy.get(77_777))), b.slice().equals(copy));
                }));
    }

    private static ByteBuffer buffer(MemorySegment segment, ByteOrder order) {
        return segment.asByteBuffer().order(order);
    }

    private static List<Code> libraries() {
        return List.of(
                new Code("MessageDigest.update(ByteBuffer)", s -> {
                    MessageDigest digest = MessageDigest.getInstance("SHA-256");
                    digest.update(s.asByteBuffer());
                    return HexFormat.of().formatHex(digest.digest());
                }),
                new Code("CRC32C", s -> checksum(new CRC32C(), s)),
                new Code("CRC32", s -> checksum(new CRC32(), s)),
                new Code("Adler32", s -> checksum(new Adler32(), s)),
                new Code("Charset.decode", s -> StandardCharsets.UTF_8.decode(s.asByteBuffer()).toString()),
                new Code("Deflater and Inflater within the segment", LibraryCode::deflateAndInflate));
    }

    private static long checksum(Checksum checksum, MemorySegment s) {
        checksum.update(s.asByteBuffer());
        return checksum.getValue();
    }

    /// The second half becomes the first half compressed, and the first half what that gives again.
    private static Object deflateAndInflate(MemorySegment s) throws Exception {
        MemorySegment plain = s.asSlice(0, s.byteSize() / 2 - 1000);
        MemorySegment packed = s.asSlice(s.byteSize() / 2);
        try (Deflater deflater = new Deflater(1); Inflater inflater = new Inflater()) {
            deflater.setInput(plain.asByteBuffer());
            deflater.finish();
            int length = deflater.deflate(packed.asByteBuffer());
            plain.fill((byte) 0);
            inflater.setInput(packed.asSlice(0, length).asByteBuffer());
            return List.of(deflater.finished(), length, inflater.inflate(plain.asByteBuffer()), inflater.finished());
        }
    }

    private static List<Code> nativeCode() {
        MethodHandle compare = LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("memcmp"), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG));
        MethodHandle set = LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("memset"), FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT, JAVA_LONG),
                Linker.Option.critical(false)); // a thread that no safepoint stops
        return List.of(
                new Code("memcmp of the C library", s -> (int) compare.invokeExact(s, s.asSlice(s.byteSize() / 2), s.byteSize() / 2) < 0),
                new Code("memset of the C library, critical", s -> ((MemorySegment) set.invokeExact(s.asSlice(777), 0x33, s.byteSize() - 1000)).address() - s.address()),
                new Code("zstd within the segment", LibraryCode::zstd));
    }

    /// As with the [Deflater], by a compressor that reads and writes through JNI.
    private static Object zstd(MemorySegment s) {
        MemorySegment plain = s.asSlice(0, s.byteSize() / 2 - 5000);
        MemorySegment packed = s.asSlice(s.byteSize() / 2);
        int length = Zstd.compress(packed.asByteBuffer(), plain.asByteBuffer(), 1);
        plain.fill((byte) 0);
        int unpacked = Zstd.decompress(plain.asByteBuffer(), packed.asSlice(0, length).asByteBuffer());
        return List.of(length, unpacked);
    }

    private static byte[] ramp(long bytes) {
        byte[] ramp = new byte[(int) bytes];
        for (int i = 0; i < ramp.length; i++) {
            ramp[i] = (byte) (i * 31 >> 4);
        }
        return ramp;
    }
}
