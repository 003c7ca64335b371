package io.github.hmm4j.device;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/// A built-in type of OpenCL C that a value can have: a scalar, or a vector of scalars. Other types (structs, typedefs, enums) have names that say nothing of them.
///
/// @param components 1 for a scalar; 2, 3, 4, 8 or 16 for a vector
public record ValueType(ScalarType scalar, int components) {

    private static final Set<Integer> VECTORS = Set.of(2, 3, 4, 8, 16);
    private static final Set<String> QUALIFIERS = Set.of("const", "volatile", "restrict", "private", "__private");
    private static final Map<ScalarType, List<String>> OTHER_NAMES = Map.of(
            ScalarType.CHAR, List.of("signed char"),
            ScalarType.UCHAR, List.of("unsigned char"),
            ScalarType.SHORT, List.of("short int", "signed short", "signed short int"),
            ScalarType.USHORT, List.of("unsigned short", "unsigned short int"),
            ScalarType.INT, List.of("signed", "signed int"),
            ScalarType.UINT, List.of("unsigned", "unsigned int"),
            ScalarType.LONG, List.of("long int", "signed long", "signed long int"),
            ScalarType.ULONG, List.of("unsigned long", "unsigned long int"));
    private static final Map<String, ValueType> BY_NAME = new HashMap<>();

    static {
        for (ScalarType scalar : ScalarType.values()) {
            BY_NAME.put(scalar.toString(), new ValueType(scalar, 1));
            OTHER_NAMES.getOrDefault(scalar, List.of()).forEach(name -> BY_NAME.put(name, new ValueType(scalar, 1)));
            VECTORS.forEach(components -> BY_NAME.put(scalar.toString() + components, new ValueType(scalar, components)));
        }
    }

    public ValueType {
        if (components != 1) {
            requireVector(components);
        }
    }

    /// @throws IllegalArgumentException if no vector has so many components
    public static void requireVector(int components) {
        if (!VECTORS.contains(components)) {
            throw new IllegalArgumentException("components=" + components + ", must be 2, 3, 4, 8 or 16 for a vector");
        }
    }

    /// The type of this name, or empty if it is not built in. Some drivers say `uint` where others say `unsigned int`, or leave qualifiers in.
    public static Optional<ValueType> of(String typeName) {
        ValueType type = BY_NAME.get(typeName);
        return Optional.ofNullable(type != null ? type : BY_NAME.get(withoutQualifiers(typeName)));
    }

    private static String withoutQualifiers(String typeName) {
        return Arrays.stream(typeName.strip().split("\\s+")).filter(word -> !QUALIFIERS.contains(word)).collect(Collectors.joining(" "));
    }

    /// Size of a value; a vector of three takes the place of four.
    public int bytes() {
        return scalar.bytes() * (components == 3 ? 4 : components);
    }

    /// The bytes of a value with these components, on the Java heap; or empty if the scalar type lacks one of them ([ScalarType#bitsOf]).
    ///
    /// @throws IllegalArgumentException if there are not as many numbers as components
    public Optional<MemorySegment> bytesOf(Number... numbers) {
        if (numbers.length != components) {
            throw new IllegalArgumentException("numbers=" + Arrays.toString(numbers) + ", components=" + components);
        }
        MemorySegment bytes = MemorySegment.ofArray(new byte[bytes()]);
        for (int i = 0; i < components; i++) {
            OptionalLong bits = scalar.bitsOf(numbers[i]);
            if (bits.isEmpty()) {
                return Optional.empty();
            }
            put(bytes, (long) i * scalar.bytes(), bits.getAsLong());
        }
        return Optional.of(bytes);
    }

    private void put(MemorySegment bytes, long offset, long bits) {
        switch (scalar.bytes()) {
            case Byte.BYTES -> bytes.set(JAVA_BYTE, offset, (byte) bits);
            case Short.BYTES -> bytes.set(JAVA_SHORT_UNALIGNED, offset, (short) bits);
            case Integer.BYTES -> bytes.set(JAVA_INT_UNALIGNED, offset, (int) bits);
            default -> bytes.set(JAVA_LONG_UNALIGNED, offset, bits);
        }
    }
}
