package io.github.hmm4j.device.opencl.lwjgl;

import static org.lwjgl.system.MemoryUtil.NULL;
import static org.lwjgl.system.MemoryUtil.memGetInt;
import static org.lwjgl.system.MemoryUtil.memGetLong;

import io.github.hmm4j.device.opencl.ClStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.lwjgl.system.MemoryStack;

/// Reads the answers of the `clGet*Info` calls, whose shape is always the same.
@FunctionalInterface
interface InfoCall {

    /// One such call with everything bound but where the answer goes.
    int get(long capacityBytes, long answer, long answerBytes);

    /// A text without its final zero.
    static String text(String call, int name, InfoCall info) {
        return new String(bytes(call, name, info), StandardCharsets.UTF_8).replace("\0", "").strip();
    }

    /// A value of any length.
    static byte[] bytes(String call, int name, InfoCall info) {
        try (Arena arena = Arena.ofConfined()) {
            long lengthBytes = lengthBytes(call, name, info);
            MemorySegment answer = arena.allocate(Math.max(1, lengthBytes), Long.BYTES);
            ClStatus.check(info.get(lengthBytes, answer.address(), NULL), call, what(name));
            return answer.asSlice(0, lengthBytes).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /// A value of 4 or 8 bytes.
    static long number(String call, int name, InfoCall info) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long answer = stack.nmalloc(8, 16);
            int status = info.get(8, answer, answer + 8);
            if (status != ClStatus.SUCCESS) {
                throw ClStatus.failure(status, call, what(name));
            }
            return memGetLong(answer + 8) == Integer.BYTES
                    ? Integer.toUnsignedLong(memGetInt(answer))
                    : memGetLong(answer);
        }
    }

    /// The first of several handles.
    static long first(String call, int name, InfoCall info) {
        return ByteBuffer.wrap(bytes(call, name, info)).order(ByteOrder.nativeOrder()).getLong();
    }

    private static long lengthBytes(String call, int name, InfoCall info) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long length = stack.nlong(0);
            ClStatus.check(info.get(0, NULL, length), call, what(name));
            return memGetLong(length);
        }
    }

    private static String what(int name) {
        return "query=0x" + Integer.toHexString(name);
    }
}
