package io.github.hmm4j.device;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/// One parameter of a kernel, from its own signature (`clGetKernelArgInfo`).
///
/// @param typeName   as written in the source, such as `float*` or `uint`
/// @param space      where it points, `PRIVATE` for a value, or `OBJECT`
/// @param isConst    whether what it points to is declared `const`: the kernel only reads it
public record KernelParameter(int index, String name, String typeName, Space space, boolean isConst) {

    /// Types that are neither memory nor plain values; those of images have many names.
    private static final Set<String> OBJECTS = Set.of("sampler_t", "queue_t", "event_t", "clk_event_t", "ndrange_t", "reserve_id_t");
    private static final Pattern IMAGE = Pattern.compile("image\\w*_t");

    /// OpenCL address spaces. [#OBJECT] is none: what an image, a sampler, a pipe or a queue takes is a handle of the driver's, which looks like memory or a value in places, and
    /// ends the process where another handle or number is passed for it.
    public enum Space { GLOBAL, CONSTANT, LOCAL, PRIVATE, OBJECT }

    /// Whether the parameter takes device memory.
    public boolean isMemory() {
        return space == Space.GLOBAL || space == Space.CONSTANT;
    }

    /// The type of the value that it takes, or empty if that is not built in.
    public Optional<ValueType> valueType() {
        return ValueType.of(typeName);
    }

    /// Where a pointer to memory may start that the kernel is given as it is: at a multiple of what it points to, as OpenCL C has it. Empty for types that are not built in.
    public OptionalInt alignmentBytes() {
        String pointed = typeName.strip();
        return isMemory() && pointed.endsWith("*")
                ? ValueType.of(pointed.substring(0, pointed.length() - 1).strip()).map(type -> OptionalInt.of(type.bytes())).orElse(OptionalInt.empty())
                : OptionalInt.empty();
    }

    /// Whether a type of this name is one for [Space#OBJECT].
    public static boolean isObject(String typeName) {
        return OBJECTS.contains(typeName) || IMAGE.matcher(typeName).matches();
    }
}
