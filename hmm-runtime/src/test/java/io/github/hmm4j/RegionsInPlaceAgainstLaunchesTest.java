package io.github.hmm4j;

import org.junit.jupiter.api.Tag;

/// Where kernels work on the host's pages.
@Tag("emulated-igpu")
class RegionsInPlaceAgainstLaunchesTest extends RegionsAgainstLaunches {

    @Override
    Rig rig() {
        return Rig.gpuInPlace(1);
    }

    @Override
    boolean discardingWaits() {
        return true;
    }
}
