package io.github.hmm4j.error;

import java.util.Locale;

/// A launch could not get its pages in time because host views of other threads hold them, or, where kernels fault, not its turn. Nothing ran; nothing is lost.
///
/// A kernel that faults ([io.github.hmm4j.HmmBuilder#deviceFaults()]) is running already when it meets a view: it went on without the page, reading zeros there and writing nothing.
/// Pages of views are as they were; what it wrote elsewhere is there, and may be wrong.
public final class LaunchBlockedException extends HmmException {

    private static final long serialVersionUID = 1L;

    public LaunchBlockedException(String kernel, long waitedMillis, String holders) {
        super(String.format(Locale.ROOT, "launch blocked: kernel=%s, waitedMillis=%d; pages held by %s; nothing ran:"
                        + " launch when they are free, or raise launchTimeout",
                kernel, waitedMillis, holders), null);
    }

    private LaunchBlockedException(String message) {
        super(message, null);
    }

    /// A launch that came behind a kernel that faults, which went on for longer than a touch may wait.
    public static LaunchBlockedException behind(String kernel, long waitedMillis) {
        return new LaunchBlockedException(String.format(Locale.ROOT, "launch blocked: kernel=%s, waitedMillis=%d for the kernel before it on this device, where kernels fault and one runs at a time; nothing ran:"
                        + " await that launch first, or raise touchTimeout", kernel, waitedMillis));
    }

    /// A kernel that met a view and waited for as long as a touch may.
    ///
    /// @param write        whether it wanted to write
    /// @param addressBytes what it wanted, as a virtual address of the heap
    /// @param holders      who holds that, as far as is known
    public static LaunchBlockedException ofKernel(String kernel, boolean write, long addressBytes, String holders) {
        return new LaunchBlockedException(String.format(Locale.ROOT, "launch blocked: kernel=%s waited for a %s of"
                        + " address=0x%x, held by %s, for longer than the touch timeout; it went on without that page,"
                        + " which stays as it is: close views before launching, or raise touchTimeout",
                kernel, write ? "write" : "read", addressBytes, holders));
    }
}
