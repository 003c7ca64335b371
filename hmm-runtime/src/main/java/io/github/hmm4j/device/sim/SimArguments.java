package io.github.hmm4j.device.sim;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// The arguments of one launch, as a simulated kernel sees them. Indexes are those of the parameters. Valid while the
/// kernel runs.
public final class SimArguments {

    private final List<MemorySegment> segments;

    SimArguments(List<MemorySegment> segments) {
        this.segments = segments;
    }

    /// What a pointer argument points to: global memory (read-only if the parameter is `const`) or local memory.
    /// Its length ends where the argument's allocation or slice ends, so a kernel that runs over is caught.
    public MemorySegment memory(int index) {
        return segments.get(index);
    }

    /// The bytes of a value.
    public MemorySegment value(int index) {
        return segments.get(index);
    }

    public int intValue(int index) {
        return segments.get(index).get(ValueLayout.JAVA_INT_UNALIGNED, 0);
    }

    public long longValue(int index) {
        return segments.get(index).get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
    }

    public float floatValue(int index) {
        return segments.get(index).get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
    }

    public double doubleValue(int index) {
        return segments.get(index).get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0);
    }
}
