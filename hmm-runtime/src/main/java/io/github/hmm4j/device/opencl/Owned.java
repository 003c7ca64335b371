package io.github.hmm4j.device.opencl;

/// Something that holds objects of the driver and that its device closes if nobody else does. Whoever has closed it finds them released, also if another was first.
///
/// The device knows it before there is anything to hold ([ClDevice#own], [ClDevice#keep]), and each object is noted in a field as soon as the driver has made it: so nothing is lost, whatever fails in between.
///
/// If the Java heap is full while it is closed it is not used any more, and the next who closes it, its device at the latest, goes on.
abstract class Owned implements AutoCloseable {

    final ClDevice device;
    private boolean closed;
    private boolean released;

    Owned(ClDevice device) {
        this.device = device;
    }

    public final synchronized boolean isClosed() {
        return closed;
    }

    /// Idempotent.
    @Override
    public final synchronized void close() {
        if (released) {
            return;
        }
        closed = true;
        boolean goesOn = false;
        try {
            release();
        } catch (OutOfMemoryError e) {
            goesOn = true;
            throw e;
        } finally {
            if (!goesOn) {
                released = true;
                device.disown(this);
            }
        }
    }

    /// Makes the objects. If it throws, [#release] comes next.
    void make() {
        // some hold only what they come to make later
    }

    /// Gives back what there is of the objects. Nothing may use them any more. The monitor is held. Called again after an [OutOfMemoryError], so whatever it needs for a step is made before, and what has been given back is not given back again.
    abstract void release();
}
