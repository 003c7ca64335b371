package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;
import java.time.Duration;

/// Asks a device something small, to tell one that has died from one that could not do what was asked of it.
final class ClProbe {

    private static final int BYTES = 64;

    private ClProbe() {}

    /// Whether the device fills a little memory, over a queue of its own. One that has no memory for that has answered,
    /// and so has one that takes the command and does not come to it in time: kernels may take longer, of other
    /// processes, too, and a device that has gone refuses.
    static boolean answers(ClApi api, long context, long device, Duration patience) {
        try {
            long memory = api.createBuffer(context, Cl.MEM_READ_WRITE, BYTES, 0);
            try {
                fill(api, context, device, memory, patience);
            } finally {
                api.releaseMemory(memory);
            }
            return true;
        } catch (OpenClFailedException e) {
            return e.status() == ClStatus.MEM_OBJECT_ALLOCATION_FAILURE || e.status() == ClStatus.OUT_OF_HOST_MEMORY;
        } catch (HmmException e) {
            return false;
        }
    }

    /// Whether a device neither is sent what is in a queue of its own nor makes another, as one that has gone. Waits for
    /// nothing: whoever asks may have locks, and the device something to do that takes long. What the host is short of
    /// says nothing about a device. Native code asks the same (`dma_is_gone`).
    static boolean isGone(ClApi api, long context, long device, long queue) {
        return refuses(() -> api.flush(queue)) && refuses(() -> api.releaseQueue(api.createQueue(context, device, false)));
    }

    private static boolean refuses(Runnable call) {
        try {
            call.run();
            return false;
        } catch (OpenClFailedException e) {
            return e.status() != ClStatus.OUT_OF_HOST_MEMORY;
        } catch (HmmException e) {
            return true;
        }
    }

    private static void fill(ClApi api, long context, long device, long memory, Duration patience) {
        long queue = api.createQueue(context, device, false);
        try {
            long event = api.enqueueZero(queue, memory, 1, 0, BYTES, true);
            try {
                api.flush(queue);
                int status = ClCompletion.statusInTime(api, event, patience);
                ClStatus.check(Math.min(0, status > 0 ? api.eventStatus(event) : status), "clEnqueueFillBuffer", null); // one that has gone may refuse to say
            } finally {
                api.releaseEvent(event);
            }
        } finally {
            api.releaseQueue(queue);
        }
    }
}
