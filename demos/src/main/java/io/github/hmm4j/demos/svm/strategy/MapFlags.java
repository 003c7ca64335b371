package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Access;

/// What to say to a driver when the host maps a range.
final class MapFlags {
    private static final long CL_MAP_READ = 1;
    private static final long CL_MAP_WRITE = 1 << 1;
    private static final long CL_MAP_WRITE_INVALIDATE_REGION = 1 << 2;

    private MapFlags() {}

    static long of(Access access) {
        return switch (access) {
            case READ -> CL_MAP_READ;
            case UPDATE -> CL_MAP_READ | CL_MAP_WRITE;
            case OVERWRITE -> CL_MAP_WRITE_INVALIDATE_REGION;
        };
    }
}
