package example;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;

/// Computes `y = a * x + y` on an OpenCL device, without a line that copies.
public final class Saxpy implements AutoCloseable {
    private final Hmm hmm = Hmm.builder().heap(ByteSize.mib(256)).open();
    private final Kernel saxpy = hmm.program(Source.resource("saxpy.cl")).kernel("saxpy");

    public static void main(String[] args) {
        try (Saxpy program = new Saxpy()) {
            MemorySegment x = program.allocate(1_000_000);
            MemorySegment y = program.allocate(1_000_000);
            for (long i = 0; i < 1_000_000; i++) {
                x.setAtIndex(JAVA_FLOAT, i, i); // ordinary stores
                y.setAtIndex(JAVA_FLOAT, i, 1);
            }
            program.run(2, x, y);
            System.out.println("y[999] = " + y.getAtIndex(JAVA_FLOAT, 999)); // an ordinary load: the page comes home
            System.out.println(program.hmm.report());
        }
    }

    /// Managed memory for so many floats; freed with the heap.
    MemorySegment allocate(long floats) {
        return hmm.heap().allocate(JAVA_FLOAT, floats);
    }

    /// Returns when the kernel has ended.
    void run(float a, MemorySegment x, MemorySegment y) {
        saxpy.args(a, x, y).launch(NDRange.of(y.byteSize() / Float.BYTES)).await();
    }

    @Override
    public void close() {
        hmm.close();
    }
}
