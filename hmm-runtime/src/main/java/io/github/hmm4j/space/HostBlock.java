package io.github.hmm4j.space;

/// Memory of the host that a device's driver has allocated, for a heap whose kernels use no other in place. What it holds at first is undefined.
///
/// Owned by whoever asked for it, also beyond the end of the device.
public interface HostBlock extends AutoCloseable {

    /// Who allocates it.
    @FunctionalInterface
    interface Source {
        /// @throws io.github.hmm4j.error.HmmException if there is none, or not as much in one piece
        HostBlock allocate(long lengthBytes);
    }

    /// Of the first byte; a multiple of [PageSize#MAX_BYTES].
    long addressBytes();

    /// Gives it back. No command may use it any more. Idempotent.
    @Override
    void close();
}
