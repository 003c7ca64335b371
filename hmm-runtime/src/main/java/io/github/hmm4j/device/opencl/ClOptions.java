package io.github.hmm4j.device.opencl;

/// How a device is opened.
///
/// @param copy      which copy engine moves pages
/// @param profiling whether launches know how long they took on the device; costs a little on each
/// @param copyTimes whether copies do, too; a sparse batch has hundreds of commands, and asking each for its times costs
public record ClOptions(CopyMode copy, boolean profiling, boolean copyTimes) {

    public static final ClOptions DEFAULTS = new ClOptions(CopyMode.AUTO, true, false);

    public ClOptions copy(CopyMode mode) {
        return new ClOptions(mode, profiling, copyTimes);
    }

    public ClOptions profiling(boolean on) {
        return new ClOptions(copy, on, copyTimes);
    }

    public ClOptions copyTimes(boolean on) {
        return new ClOptions(copy, profiling, on);
    }
}
