package io.github.hmm4j.device.opencl;

/// Something that holds objects of the driver and that its device closes if nobody else does. Whoever has closed it finds them released, also if another was first.
abstract class Owned implements AutoCloseable {

    final ClDevice device;
    private boolean closed;

    Owned(ClDevice device) {
        this.device = device;
    }

    public final synchronized boolean isClosed() {
        return closed;
    }

    /// Idempotent.
    @Override
    public final synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        device.disown(this);
        release();
    }

    /// Gives the objects back, once. Nothing may use them any more. The monitor is held.
    abstract void release();
}
