package io.github.hmm4j.device.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.function.IntFunction;

/// How a driver is asked what it has compiled: it writes to as many places as the program has devices, and leaves out
/// those that are null.
public final class ProgramBinaries {

    /// The question whose answer is written elsewhere.
    @FunctionalInterface
    public interface Fill {
        /// @param pointers where the binary of each device goes
        /// @return the status
        int fill(int name, MemorySegment pointers);
    }

    private ProgramBinaries() {}

    /// @param info `clGetProgramInfo` of a program, by what is asked for
    /// @return empty if the driver has none for the device
    public static byte[] of(long device, IntFunction<byte[]> info, Fill binaries) {
        LongBuffer devices = words(info.apply(Cl.PROGRAM_DEVICES));
        LongBuffer sizes = words(info.apply(Cl.PROGRAM_BINARY_SIZES));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointers = arena.allocate(ValueLayout.JAVA_LONG, Math.max(1, devices.limit()));
            MemorySegment binary = MemorySegment.NULL;
            for (int i = 0; i < devices.limit(); i++) {
                if (devices.get(i) == device && sizes.get(i) > 0) {
                    binary = arena.allocate(sizes.get(i));
                    pointers.setAtIndex(ValueLayout.JAVA_LONG, i, binary.address());
                }
            }
            if (binary.byteSize() > 0) {
                ClStatus.check(binaries.fill(Cl.PROGRAM_BINARIES, pointers), "clGetProgramInfo",
                        "binaryBytes=" + binary.byteSize());
            }
            return binary.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static LongBuffer words(byte... bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asLongBuffer();
    }
}
