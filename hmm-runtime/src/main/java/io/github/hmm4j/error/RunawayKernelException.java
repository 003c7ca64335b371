package io.github.hmm4j.error;

/// A kernel that goes through the device's page table says what cannot be of its work-items: it has written over what it tells the host. What it has done to its own data by then stays.
public final class RunawayKernelException extends HmmException {

    private static final long serialVersionUID = 1L;

    public RunawayKernelException(String kernel, String what) {
        super(("kernel=%s has written over its own page table: %s; look for a write out of bounds, and do not trust"
                + " what it has written").formatted(kernel, what), null);
    }
}
