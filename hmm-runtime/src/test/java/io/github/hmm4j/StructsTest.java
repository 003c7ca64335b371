package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Structs and other values that Java lays out itself ([Arg#value]), as kernels see them.
@Timeout(120)
class StructsTest {

    /// `typedef struct { char tag; double weight; struct { short id; float at[3]; } points[2]; int3 last; } shape`
    private static final StructLayout SHAPE = MemoryLayout.structLayout(
            JAVA_BYTE.withName("tag"), MemoryLayout.paddingLayout(7), JAVA_DOUBLE.withName("weight"),
            MemoryLayout.sequenceLayout(2, MemoryLayout.structLayout(JAVA_SHORT.withName("id"),
                    MemoryLayout.paddingLayout(2),
                    MemoryLayout.sequenceLayout(3, JAVA_FLOAT).withName("at"))).withName("points"),
            MemoryLayout.sequenceLayout(4, JAVA_INT).withName("last"));

    private static final String UNPACK = "kernel void unpack(global double *out, int before, shape s, float after)";
    private static final String SHAPES = """
            #pragma OPENCL EXTENSION cl_khr_fp64 : enable
            typedef struct { char tag; double weight; struct { short id; float at[3]; } points[2]; int3 last; } shape;
            """;
    private static final Source SOURCE = Source.text("structs.cl", SHAPES + UNPACK + """
             {
                out[0] = sizeof(shape);
                out[1] = s.tag;
                out[2] = s.weight;
                for (int p = 0; p < 2; p++) {
                    out[3 + 4 * p] = s.points[p].id;
                    for (int i = 0; i < 3; i++) out[4 + 4 * p + i] = s.points[p].at[i];
                }
                out[11] = s.last.x;
                out[12] = s.last.z;
                out[13] = before;
                out[14] = after;
            }
            typedef float4 color;
            kernel void draw(global float *out, write_only image2d_t picture, sampler_t how) { out[0] = 1; }
            kernel void wide(global float *out, float16 many, color c) { vstore16(many, 0, out); vstore4(c, 4, out); }
            """);
    private static final Source PAGED = Source.text("paged_structs.cl", """
            #include "hmm.clh"
            typedef struct { ulong from; int plus; int times; } job;
            kernel void work(HMM_HEAP, job j) {
                HMM_BEGIN;
                global int *value = HMM_WRITE(int, j.from + 4 * get_global_id(0));
                if (!value) return;
                *value = *value * j.times + j.plus;
                HMM_END;
            }
            """);

    private static void needsDoubles() {
        assumeTrue(FirstDevice.computesInDoubles(), "kernels of this device know no double");
    }

    private static MemorySegment shape(Arena arena) {
        MemorySegment shape = arena.allocate(SHAPE);
        shape.fill((byte) 0x5a); // what lies between is nobody's business
        shape.set(JAVA_BYTE, 0, (byte) -7);
        shape.set(JAVA_DOUBLE, 8, 0.1);
        for (int p = 0; p < 2; p++) {
            shape.set(JAVA_SHORT, SHAPE.byteOffset(PathElement.groupElement("points"), PathElement.sequenceElement(p),
                    PathElement.groupElement("id")), (short) (1000 + p));
            for (int i = 0; i < 3; i++) {
                shape.set(JAVA_FLOAT, SHAPE.byteOffset(PathElement.groupElement("points"),
                        PathElement.sequenceElement(p), PathElement.groupElement("at"),
                        PathElement.sequenceElement(i)), p + i / 4f);
            }
        }
        long last = SHAPE.byteOffset(PathElement.groupElement("last"));
        shape.set(JAVA_INT, last, 42);
        shape.set(JAVA_INT, last + 8, Integer.MIN_VALUE);
        return shape;
    }

    private static double[] unpacked(Hmm hmm, Arg shape) {
        MemorySegment out = hmm.heap().allocate(JAVA_DOUBLE, 16);
        hmm.program(SOURCE).kernel("unpack").args(out, 3, shape, 2.5f).launch(NDRange.of(1)).await();
        try (HostView view = hmm.heap().view(out, Access.READ)) {
            return view.segment().asSlice(0, 15 * 8L).toArray(JAVA_DOUBLE);
        }
    }

    private static void assertUnpacked(double... seen) {
        assertThat(seen).containsExactly(64, -7, 0.1, 1000, 0, 0.25, 0.5, 1001, 1, 1.25, 1.5, 42, Integer.MIN_VALUE, 3,
                2.5);
    }

    @ParameterizedTest
    @EnumSource
    void aStructArrivesAsItWasWhenTheArgumentWasMade(ClBinding binding) {
        needsDoubles();
        assertThat(SHAPE.byteSize()).isEqualTo(64);
        for (HostAccess.Mode mode : HostAccess.Mode.values()) {
            try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).hostAccess(mode).open()) {
                Arg confined;
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment shape = shape(arena);
                    confined = Arg.value(shape);
                    shape.fill((byte) 0);
                }
                assertUnpacked(unpacked(hmm, confined));
                byte[] bytes = shape(Arena.ofAuto()).toArray(JAVA_BYTE);
                byte[] shifted = new byte[bytes.length + 1];
                System.arraycopy(bytes, 0, shifted, 1, bytes.length);
                // needs no alignment
                assertUnpacked(unpacked(hmm, Arg.value(MemorySegment.ofArray(shifted).asSlice(1))));
                MemorySegment managed = hmm.heap().allocate(SHAPE);
                try (HostView view = hmm.heap().view(managed, Access.WRITE)) {
                    view.segment().copyFrom(MemorySegment.ofArray(bytes));
                    assertUnpacked(unpacked(hmm, Arg.value(view.segment())));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void theLongestVectorAndOneBehindATypedef(ClBinding binding) {
        needsDoubles();
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).open()) {
            MemorySegment out = hmm.heap().allocate(JAVA_FLOAT, 20);
            Kernel wide = hmm.program(SOURCE).kernel("wide");
            Number[] all = IntStream.range(0, 16).boxed().toArray(Number[]::new);
            wide.args(out, Arg.vector(all), Arg.vector(16f, 17f, 18f, 19f)).launch(NDRange.of(1)).await();
            assertThat(out.toArray(JAVA_FLOAT)).containsExactly(floats());
            hmm.heap().discard(out);
            float[] values = floats();
            wide.args(out, Arg.value(MemorySegment.ofArray(values).asSlice(0, 64)),
                    Arg.value(MemorySegment.ofArray(values).asSlice(64))).launch(NDRange.of(1)).await();
            assertThat(out.toArray(JAVA_FLOAT)).containsExactly(floats());
        }
    }

    private static float[] floats() {
        float[] values = new float[20];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        return values;
    }

    @ParameterizedTest
    @EnumSource
    void aStructForAKernelThatGoesThroughThePageTable(ClBinding binding) {
        int pages = 64;
        int count = pages * 1024;
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).pageSize(4096).budget(16 * 4096).open()) {
            MemorySegment data = hmm.heap().allocate(JAVA_INT, count);
            MemorySegment job = Arena.ofAuto().allocate(16, 8);
            job.set(JAVA_LONG, 0, data.address());
            job.set(JAVA_INT, 8, 5);
            job.set(JAVA_INT, 12, 3);
            Kernel work = hmm.program(PAGED).kernel("work");
            work.args(Arg.heap(Arg.inOut(data)), Arg.value(job)).launch(NDRange.of(count)).await();
            Launch second = work.args(Arg.heap(Arg.inOut(data)), Arg.value(job)).launch(NDRange.of(count)).await();
            assertThat(second.moves().rounds()).isGreaterThan(1); // the value is set for each
            assertThat(data.toArray(JAVA_INT)).containsOnly(20);
        }
    }

    @ParameterizedTest
    @EnumSource
    void imagesAndSamplersTakeNothing(ClBinding binding) {
        needsDoubles();
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).open()) {
            MemorySegment out = hmm.heap().allocate(JAVA_FLOAT, 20);
            Kernel draw = hmm.program(SOURCE).kernel("draw");
            for (Object argument : new Object[] {out, Arg.nullPointer(), 0L,
                    Arg.value(MemorySegment.ofArray(new long[1])), Arg.local(8), Arg.vector(0, 0)}) {
                assertThatIllegalArgumentException().isThrownBy(() -> draw.args(out, argument, 1).launch(NDRange.of(1)))
                        .withMessage("kernel=draw, argument 1 is for image2d_t picture: images, samplers, pipes and queues cannot be passed here");
            }
            assertThat(draw.parameters().get(2).space()).isEqualTo(KernelParameter.Space.OBJECT);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBuiltInTypeTakesItsOwnSizeOnly(ClBinding binding) {
        needsDoubles();
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).open()) {
            MemorySegment out = hmm.heap().allocate(JAVA_FLOAT, 20);
            Arg color = Arg.vector(1f, 2f, 3f, 4f);
            Kernel wide = hmm.program(SOURCE).kernel("wide");
            for (int bytes : new int[] {60, 68}) {
                assertThatIllegalArgumentException().isThrownBy(() -> wide.args(out,
                        Arg.value(MemorySegment.ofArray(new byte[bytes])), color).launch(NDRange.of(1)))
                        .withMessage("kernel=wide, argument 1 is for float16 many: it does not take a value of valueBytes="
                                + bytes + ", it has 64; pass an Arg.vector of 16");
            }
            assertThatIllegalArgumentException().isThrownBy(() ->
                    wide.args(Arg.value(MemorySegment.ofArray(new long[1])), color, color).launch(NDRange.of(1)))
                    .withMessage("kernel=wide, argument 0 is for float* out: it does not take a value of valueBytes=8;"
                            + " pass a managed segment");
            assertThatIllegalArgumentException().isThrownBy(() -> Arg.value(MemorySegment.NULL))
                    .withMessage("valueBytes=0, must be positive");
        }
    }
}
