package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a kernel sees of the values that Java passes: the same numbers, over either binding.
@Timeout(120)
class ValuesTest {

    private static final String SCALARS = "kernel void scalars(global double *out, char a, uchar b, short c, unsigned short d, int e, uint f, long g, float h, double i)";
    private static final String VECTORS = "kernel void vectors(global double *out, float2 a, uchar4 b, int3 c)";
    private static final String OTHERS = "kernel void others(global double *out, real a, pair b)";
    private static final String NOWHERE = "kernel void nowhere(global double *out, global int *written, const global int *read)";
    private static final Source SOURCE = Source.text("values.cl", """
            #pragma OPENCL EXTENSION cl_khr_fp64 : enable
            typedef float real;
            typedef struct { int x; double y; } pair;
            SCALARS { out[0] = a; out[1] = b; out[2] = c; out[3] = d; out[4] = e; out[5] = f; out[6] = g; out[7] = h; out[8] = i; }
            VECTORS { out[0] = a.x; out[1] = a.y; out[2] = b.x; out[3] = b.w; out[4] = c.x; out[5] = c.y; out[6] = c.z; }
            NOWHERE { out[0] = written == 0; out[1] = read == 0; out[2] = 1; }
            OTHERS { out[0] = a; out[1] = b.x; out[2] = b.y; }
            """.replace("SCALARS", SCALARS).replace("VECTORS", VECTORS).replace("OTHERS", OTHERS).replace("NOWHERE", NOWHERE));

    @BeforeEach
    void needsDoubles() {
        assumeTrue(FirstDevice.computesInDoubles(), "kernels of this device know no double");
    }

    private static Hmm open(ClBinding binding) {
        return Hmm.builder().heap(ByteSize.mib(16)).hostAccess(HostAccess.Mode.CHECKED).binding(binding).open();
    }

    private static double[] seen(Hmm hmm, String kernel, Object... values) {
        MemorySegment out = hmm.heap().allocate(JAVA_DOUBLE, 16);
        Object[] arguments = new Object[values.length + 1];
        arguments[0] = out;
        System.arraycopy(values, 0, arguments, 1, values.length);
        hmm.program(SOURCE).kernel(kernel).args(arguments).launch(NDRange.of(1)).await();
        try (HostView view = hmm.heap().view(out, Access.READ)) {
            return Arrays.copyOf(view.segment().toArray(JAVA_DOUBLE), switch (kernel) {
                case "scalars" -> 9;
                case "vectors" -> 7;
                default -> 3;
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void pointersPointNowhere(ClBinding binding) {
        try (Hmm hmm = open(binding)) {
            MemorySegment some = hmm.heap().allocate(4096);
            assertThat(seen(hmm, "nowhere", Arg.nullPointer(), Arg.nullPointer())).containsExactly(1, 1, 1);
            assertThat(seen(hmm, "nowhere", some, some)).containsExactly(0, 0, 1);
            assertThat(seen(hmm, "nowhere", some.asSlice(0, 0), Arg.in(some.asSlice(8, 0)))).containsExactly(1, 1, 1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void truthsAndCharactersAreNumbers(ClBinding binding) {
        try (Hmm hmm = open(binding)) {
            assertThat(seen(hmm, "scalars", true, false, 'a', '\uffff', 'b', true, 'c', 'd', true)).containsExactly(1, 0, 97, 65535, 98, 1, 99, 100, 1);
            assertThatIllegalArgumentException().isThrownBy(() -> seen(hmm, "scalars", '\u0100', 0, 0, 0, 0, 0, 0, 0, 0)).withMessageContaining("char a cannot hold");
        }
    }

    @ParameterizedTest
    @EnumSource
    void scalarsAreTheSameNumbers(ClBinding binding) {
        try (Hmm hmm = open(binding)) {
            assertThat(seen(hmm, "scalars", 1, 2, 3, 4, 5, 6, 7, 8, 9)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9);
            assertThat(seen(hmm, "scalars", 1f, 2d, 3L, 4f, 5d, 6f, 7d, 8L, 9f)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9);
            assertThat(seen(hmm, "scalars", (byte) -1, (byte) -1, (short) -1, (short) -1, -1, -1, -1L, -1f, -1d))
                    .containsExactly(-1, 255, -1, 65535, -1, 0xFFFF_FFFFL, -1, -1, -1);
            assertThat(seen(hmm, "scalars", 0, 0, 0, 0, 0, 0, 0, Double.NaN, 0.1f)).endsWith(Double.NaN, 0.1f);
            assertThatIllegalArgumentException().isThrownBy(() -> seen(hmm, "scalars", 0, 0, 0, 0, 0, 0, 0, 0.1, 0))
                    .withMessageContaining("kernel=scalars, argument 8: float h cannot hold Double 0.1 without loss");
            assertThatIllegalArgumentException().isThrownBy(() -> seen(hmm, "scalars", 0, 0, 0, 0, 2.5f, 0, 0, 0, 0))
                    .withMessageContaining("int e cannot hold Float 2.5");
            assertThatIllegalArgumentException().isThrownBy(() -> seen(hmm, "scalars", 0, 256, 0, 0, 0, 0, 0, 0, 0))
                    .withMessageContaining("uchar b cannot hold Integer 256");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aVectorTakesAVector(ClBinding binding) {
        try (Hmm hmm = open(binding)) {
            Arg bytes = Arg.value(MemorySegment.ofArray(new int[] {4, 5, 6, 0}));
            assertThat(seen(hmm, "vectors", Arg.vector(1, 1.5), Arg.vector(2, 0, 0, 255), Arg.vector(4, 5f, 6L))).containsExactly(1, 1.5, 2, 255, 4, 5, 6);
            assertThat(seen(hmm, "vectors", Arg.vector(1, 1.5), Arg.vector(2, 0, 0, 255), bytes)).containsExactly(1, 1.5, 2, 255, 4, 5, 6);
            Arg four = Arg.vector(1, 2, 3, 4);
            Arg three = Arg.vector(1, 2, 3);
            assertThatIllegalArgumentException().isThrownBy(() -> seen(hmm, "vectors", 1d, four, three))
                    .withMessageContaining("kernel=vectors, argument 1 is for float2 a: it does not take a scalar");
            assertThatIllegalArgumentException().isThrownBy(() -> seen(hmm, "vectors", three, four, three)).withMessageContaining("a vector of 3");
            assertThatIllegalArgumentException().isThrownBy(() -> seen(hmm, "vectors", Arg.vector(1, 0.1), four, three))
                    .withMessageContaining("argument 1: float2 a cannot hold Integer 1, Double 0.1 without loss");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> seen(hmm, "vectors", Arg.vector(1, 2), four,
                            Arg.value(MemorySegment.ofArray(new int[3]))))
                    .withMessageContaining("int3 c").withMessageContaining("valueBytes=12");
        }
    }

    @ParameterizedTest
    @EnumSource
    void otherTypesTakeWhatTheyGet(ClBinding binding) {
        try (Hmm hmm = open(binding)) {
            MemorySegment pair = MemorySegment.ofArray(new long[2]);
            pair.set(JAVA_INT.withByteAlignment(1), 0, 7);
            pair.set(JAVA_DOUBLE.withByteAlignment(1), 8, 0.5);
            Arg argument = Arg.value(pair);
            pair.fill((byte) 0); // it was copied
            assertThat(seen(hmm, "others", 2.5f, argument)).containsExactly(2.5, 7, 0.5);
        }
    }
}
