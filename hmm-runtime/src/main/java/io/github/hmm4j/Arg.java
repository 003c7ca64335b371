package io.github.hmm4j;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// A kernel argument that says more than the kernel's signature does.
///
/// A plain managed segment passed for a pointer is taken as the signature says: `const` is read, everything else is read and written.
public sealed interface Arg {

    /// The kernel only reads these bytes, whatever its signature says. A kernel that writes all the same is a mistake that nobody notices: its writes may be lost.
    static Arg in(MemorySegment segment) {
        return new Memory(segment, Intent.IN);
    }

    /// The kernel writes these bytes without reading them: old contents are dead and are not copied to the device. What the kernel leaves out is undefined afterwards.
    /// If the launch fails the old contents are there again, unless another thread looked at them while it was being launched.
    static Arg out(MemorySegment segment) {
        return new Memory(segment, Intent.OUT);
    }

    /// The kernel reads and writes these bytes.
    static Arg inOut(MemorySegment segment) {
        return new Memory(segment, Intent.IN_OUT);
    }

    /// Local memory of this many bytes for each work-group.
    static Arg local(long lengthBytes) {
        return new Local(lengthBytes);
    }

    /// The heap itself, for a kernel that follows pointers: stands for the **two** parameters that `HMM_HEAP` or `HMM_HEAP_CONST` of `hmm.clh` declares.
    /// Only the ranges listed here may be followed; each states its intent ([#in], [#inOut]).
    static Arg heap(Arg... ranges) {
        List<Memory> memories = List.of(ranges).stream()
                .map(range -> switch (range) {
                    case Memory memory -> memory;
                    case Heap _, Local _ -> throw new IllegalArgumentException("range=" + range + " is not in, out or inOut of a segment");
                })
                .toList();
        return new Heap(memories);
    }

    /// What a kernel does with memory.
    enum Intent { IN, OUT, IN_OUT }

    /// Managed memory with an intent.
    record Memory(MemorySegment segment, Intent intent) implements Arg {}

    /// Work-group local memory.
    record Local(long lengthBytes) implements Arg {}

    /// The heap as one image, and the ranges that the kernel may follow pointers into.
    record Heap(List<Memory> ranges) implements Arg {}
}
