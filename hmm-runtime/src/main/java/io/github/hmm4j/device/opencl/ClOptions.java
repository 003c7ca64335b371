package io.github.hmm4j.device.opencl;

/// How a device is opened.
///
/// @param copy      which copy engine moves pages
/// @param profiling whether launches know how long they took on the device; costs a little on each
public record ClOptions(CopyMode copy, boolean profiling) {

    public static final ClOptions DEFAULTS = new ClOptions(CopyMode.AUTO, true);

    public ClOptions copy(CopyMode mode) {
        return new ClOptions(mode, profiling);
    }

    public ClOptions profiling(boolean on) {
        return new ClOptions(copy, on);
    }
}
