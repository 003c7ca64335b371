package io.github.hmm4j.device.opencl.jocl;

import io.github.hmm4j.device.opencl.ClStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.jocl.Pointer;
import org.jspecify.annotations.Nullable;

/// One `clGet*Info` call with everything bound but where the answer goes.
@FunctionalInterface
interface InfoCall {

    int get(long capacityBytes, @Nullable Pointer answer, long @Nullable [] answerBytes);

    /// A text without its final zero.
    static String text(String call, int name, InfoCall info) {
        return new String(bytes(call, name, info), StandardCharsets.UTF_8).replace("\0", "").strip();
    }

    /// A value of any length.
    static byte[] bytes(String call, int name, InfoCall info) {
        long[] length = new long[1];
        ClStatus.check(StatusCall.status(() -> info.get(0, null, length)), call, what(name));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(Math.max(1, length[0]), Long.BYTES);
            Pointer pointer = Pointer.to(answer.asByteBuffer());
            ClStatus.check(StatusCall.status(() -> info.get(length[0], pointer, null)), call, what(name));
            return answer.asSlice(0, length[0]).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /// A value of 4 or 8 bytes.
    static long number(String call, int name, InfoCall info) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(Long.BYTES, Long.BYTES);
            long[] length = new long[1];
            Pointer pointer = Pointer.to(answer.asByteBuffer());
            ClStatus.check(StatusCall.status(() -> info.get(Long.BYTES, pointer, length)), call, what(name));
            return length[0] == Integer.BYTES
                    ? Integer.toUnsignedLong(answer.get(ValueLayout.JAVA_INT, 0))
                    : answer.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /// The first of several handles.
    static long first(String call, int name, InfoCall info) {
        return ByteBuffer.wrap(bytes(call, name, info)).order(ByteOrder.nativeOrder()).getLong();
    }

    private static String what(int name) {
        return "query=0x" + Integer.toHexString(name);
    }
}
