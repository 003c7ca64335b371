package io.github.hmm4j.device.opencl;

/// Something that holds objects of the driver and that its device closes if nobody else does.
interface Owned extends AutoCloseable {

    /// Idempotent.
    @Override
    void close();
}
