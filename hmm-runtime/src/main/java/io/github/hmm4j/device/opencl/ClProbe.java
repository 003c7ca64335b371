package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;

/// Lets a device do something small, to tell one that has died from one that could not do what was asked of it.
final class ClProbe {

    private static final int BYTES = 64;

    private ClProbe() {}

    /// Whether the device fills a little memory, over a queue of its own. One that has no memory for that has answered.
    /// Waits for it.
    static boolean answers(ClApi api, long context, long device) {
        try {
            long memory = api.createBuffer(context, Cl.MEM_READ_WRITE, BYTES, 0);
            var cleanup = new Cleanup();
            try {
                cleanup.run(() -> fill(api, context, device, memory));
            } finally {
                cleanup.run(() -> api.releaseMemory(memory));
            }
            cleanup.end();
            return true;
        } catch (OpenClFailedException e) {
            return e.status() == ClStatus.MEM_OBJECT_ALLOCATION_FAILURE || e.status() == ClStatus.OUT_OF_HOST_MEMORY;
        } catch (HmmException e) {
            return false;
        }
    }

    private static void fill(ClApi api, long context, long device, long memory) {
        long queue = api.createQueue(context, device, false);
        var cleanup = new Cleanup();
        try {
            cleanup.run(() -> {
                long event = api.enqueueZero(queue, memory, 1, 0, BYTES, true);
                cleanup.run(() -> {
                    api.flush(queue);
                    api.waitFor(event);
                    ClStatus.check(api.eventStatus(event), "clEnqueueFillBuffer", null);
                }).run(() -> api.releaseEvent(event));
            });
        } finally {
            cleanup.run(() -> api.releaseQueue(queue));
        }
        cleanup.end();
    }
}
