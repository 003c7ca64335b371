package io.github.hmm4j;

import io.github.hmm4j.device.ValueType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;

/// An argument of a launch that is neither plain managed memory nor a plain number, or says more than the kernel's signature does.
///
/// | parameter | takes |
/// | --- | --- |
/// | pointer to global or constant memory | a managed segment: read if the pointer is `const` or `constant`, else read and written, unless [Kernel#reads] or [Kernel#writes] says otherwise; or [#in], [#out], [#inOut], which go before both |
/// | the same, of nothing | an empty segment, or [#nullPointer]: the kernel gets `NULL` |
/// | pointer to local memory | [#local] |
/// | `char` to `ulong` | also a `boolean`, as 0 or 1, and a Java `char`, as its number |
/// | scalar: `char`, `uchar`, `short`, `ushort`, `int`, `uint`, `long`, `ulong`, `half`, `float`, `double` | a boxed number, converted **without loss**: `2` for a `float`, `2f` for an `int`; `2.5f` for an `int` or `16777217` for a `float` is refused. Java has no unsigned numbers, so an unsigned type also takes the bits of the Java type of its width: `-1` is the largest `uint`, `-1L` the largest `ulong` |
/// | vector, such as `float4` | [#vector], whose components are converted like scalars |
/// | value of another type: a struct, a typedef, an enum | [#value]. A number or a vector is passed as Java has it, an `int` in 4 bytes and a `double` in 8. OpenCL tells of such a type its name only: **nothing is checked but the size, and that only by drivers that know it** (POCL does not) |
/// | the two that `HMM_HEAP` or `HMM_HEAP_CONST` declares | [#heap] |
/// | image, sampler, pipe, queue | nothing: a kernel that has one cannot be launched here. The same types behind a typedef are not always told apart from values; do not pass any |
///
/// A segment that is read-only ([MemorySegment#asReadOnly]) is refused for whatever the kernel would write.
///
/// ```java
/// // kernel void blend(global float4 *image, const global float4 *layer, float alpha, float4 tint, local float4 *tile)
/// blend.args(image, layer.asReadOnly(), 0.5, Arg.vector(1, 0, 0, 1), Arg.local(64 * 16)).launch(range);
/// ```
public sealed interface Arg {

    /// The kernel only reads these bytes, whatever its signature says. A kernel that writes all the same is a mistake that nobody notices: its writes may be lost.
    static Arg in(MemorySegment segment) {
        return new Memory(segment, Intent.IN);
    }

    /// The kernel writes these bytes without reading them: old contents are dead and are not copied to the device. What the kernel leaves out is undefined afterwards.
    /// Until the kernel is enqueued other threads find the old contents there, and so they do if the launch fails.
    static Arg out(MemorySegment segment) {
        return new Memory(segment, Intent.OUT);
    }

    /// The kernel reads and writes these bytes.
    static Arg inOut(MemorySegment segment) {
        return new Memory(segment, Intent.IN_OUT);
    }

    /// A pointer that points nowhere, for an argument that a kernel can do without: it sees `NULL`.
    static Arg nullPointer() {
        return new NullPointer();
    }

    /// Local memory of this many bytes for each work-group.
    ///
    /// @throws IllegalArgumentException if it is not positive
    static Arg local(long lengthBytes) {
        return new Local(lengthBytes);
    }

    /// A vector of these components, which are converted like scalars: `Arg.vector(1, 0.5)` is a `float2` as well as a
    /// `double2`, and no `int2`.
    ///
    /// @throws IllegalArgumentException if there are other than 2, 3, 4, 8 or 16
    static Arg vector(Number... components) {
        return new Vector(List.of(requireAll("components", components)));
    }

    /// A value as it lies in memory, for structs and other types that are not built in: `value` is copied now, so it
    /// may be changed or freed behind this call, may lie anywhere (it need not be managed), and needs no alignment of
    /// its own.
    ///
    /// The layout is the kernel's: a member begins at a multiple of its size, a vector of three like one of four, and
    /// the whole is as long as a multiple of its largest member's alignment. So padding that a Java layout leaves out
    /// has to be written out there:
    ///
    /// ```java
    /// // typedef struct { int count; double weight; float4 tint[2]; } brush;
    /// StructLayout brush = MemoryLayout.structLayout(
    ///         JAVA_INT.withName("count"), MemoryLayout.paddingLayout(4), JAVA_DOUBLE.withName("weight"),
    ///         MemoryLayout.sequenceLayout(8, JAVA_FLOAT).withName("tint")); // 48 bytes
    /// paint.args(image, Arg.value(arena.allocate(brush))).launch(range);
    /// ```
    ///
    /// Where the parameter's type is built in, it must have the size of that: 16 bytes for a `float4`, and for an
    /// `int3`, too. Of any other type OpenCL tells the name only; a wrong size is refused at launch by drivers that
    /// know it, and elsewhere the kernel reads what it finds.
    ///
    /// @throws IllegalArgumentException if it is empty
    static Arg value(MemorySegment value) {
        Objects.requireNonNull(value, "value");
        return new Value(MemorySegment.ofArray(value.toArray(ValueLayout.JAVA_BYTE)).asReadOnly());
    }

    /// The heap itself, for a kernel that follows pointers: stands for the **two** parameters that `HMM_HEAP` or `HMM_HEAP_CONST` of `hmm.clh` declares, and is one argument.
    /// Only the ranges listed here may be followed; each states its intent ([#in], [#inOut]).
    ///
    /// Where the device holds the whole heap ([HmmDevice#hasAperture]), all pages of the ranges are there before the kernel starts. Elsewhere it finds pages through the device's page
    /// table, as far as they are there, and [Kernel.Call#launch] runs it again for the work-items that missed one: the ranges may be larger than the device. Then old contents of an
    /// [#out] are dead only until the kernel has run with a page for the first time, since what work-items have written there must stay; if the launch fails after that, what is in such a page is undefined. A range
    /// shares no page with another argument of the same launch.
    static Arg heap(Arg... ranges) {
        List<Memory> memories = List.of(requireAll("ranges", ranges)).stream()
                .map(range -> switch (range) {
                    case Memory memory -> memory;
                    default -> throw new IllegalArgumentException("range=" + range + " is not in, out or inOut of a segment");
                })
                .toList();
        return new Heap(memories);
    }

    private static <T> T[] requireAll(String what, T[] all) {
        Objects.requireNonNull(all, what);
        for (int i = 0; i < all.length; i++) {
            Objects.requireNonNull(all[i], what + "[" + i + "]");
        }
        return all;
    }

    /// What a kernel does with memory.
    enum Intent {
        IN, OUT, IN_OUT;

        boolean writes() {
            return this != IN;
        }
    }

    /// Managed memory with an intent.
    record Memory(MemorySegment segment, Intent intent) implements Arg {
        public Memory {
            Objects.requireNonNull(segment, "segment");
            Objects.requireNonNull(intent, "intent");
        }
    }

    /// No memory.
    record NullPointer() implements Arg {}

    /// Work-group local memory.
    record Local(long lengthBytes) implements Arg {
        public Local {
            if (lengthBytes <= 0) {
                throw new IllegalArgumentException("lengthBytes=" + lengthBytes + " of local memory, must be positive");
            }
        }
    }

    /// A vector.
    record Vector(List<Number> components) implements Arg {
        public Vector {
            components = List.copyOf(components);
            ValueType.requireVector(components.size());
        }
    }

    /// A value of any type.
    record Value(MemorySegment value) implements Arg {
        public Value {
            if (value.byteSize() == 0) {
                throw new IllegalArgumentException("valueBytes=0, must be positive");
            }
        }
    }

    /// The heap as one image, and the ranges that the kernel may follow pointers into.
    record Heap(List<Memory> ranges) implements Arg {}
}
