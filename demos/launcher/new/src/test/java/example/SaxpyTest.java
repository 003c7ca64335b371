package example;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class SaxpyTest {
    @Test
    void computesEachElement() {
        try (Saxpy program = new Saxpy()) {
            MemorySegment x = program.allocate(1000);
            MemorySegment y = program.allocate(1000);
            for (long i = 0; i < 1000; i++) {
                x.setAtIndex(JAVA_FLOAT, i, i);
                y.setAtIndex(JAVA_FLOAT, i, 1);
            }
            program.run(2, x, y);
            for (long i = 0; i < 1000; i++) {
                assertEquals(2 * i + 1, y.getAtIndex(JAVA_FLOAT, i), "y[" + i + "]");
            }
        }
    }
}
