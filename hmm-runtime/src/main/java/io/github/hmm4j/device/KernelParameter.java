package io.github.hmm4j.device;

/// One parameter of a kernel, from its own signature (`clGetKernelArgInfo`).
///
/// @param typeName   as written in the source, such as `float*` or `uint`
/// @param space      where it points, or `PRIVATE` for a value
/// @param isConst    whether what it points to is declared `const`: the kernel only reads it
public record KernelParameter(int index, String name, String typeName, Space space, boolean isConst) {

    /// OpenCL address spaces.
    public enum Space { GLOBAL, CONSTANT, LOCAL, PRIVATE }

    /// Whether the parameter takes device memory.
    public boolean isMemory() {
        return space == Space.GLOBAL || space == Space.CONSTANT;
    }
}
