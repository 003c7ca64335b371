package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;

/// Launches until the device has gone, and says how that was told.
final class LostDeviceWorker {

    private static final int INTS = 1 << 12;
    private static final int LAUNCHES = 5000;

    private LostDeviceWorker() {}

    public static void main(String[] args) {
        Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).open();
        MemorySegment data = hmm.heap().allocate(JAVA_INT, INTS);
        var add = hmm.program(Source.text("add.cl", "kernel void add(global int *data) { data[get_global_id(0)] += 1; }\n")).kernel("add");
        String first = "nothing has failed";
        boolean lost = false;
        for (int i = 0; i < LAUNCHES && !lost; i++) {
            try {
                add.args(data).launch(NDRange.of(INTS)).await();
            } catch (DeviceLostException e) {
                lost = true;
                first = e.getMessage();
            } catch (HmmException e) {
                first = e.getMessage();
                break;
            }
        }
        System.out.println("told=" + first);
        System.out.println("lost=" + (lost ? 1 : 0));
        try {
            hmm.close();
        } catch (RuntimeException e) {
            System.out.println("closed with " + e.getMessage()); // a device that does not answer cannot be tidied up
        }
        System.exit(0);
    }
}
