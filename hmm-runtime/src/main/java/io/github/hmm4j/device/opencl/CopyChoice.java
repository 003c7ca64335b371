package io.github.hmm4j.device.opencl;

import java.util.List;

/// The copy engine of a device, and how it came to be chosen.
///
/// @param name                   `direct`, `staged` or `copy`
/// @param toDeviceMegabytesPerSecond measured by the self-test (10^6 bytes)
/// @param toHostMegabytesPerSecond   measured by the self-test (10^6 bytes)
/// @param why                    one line for people
/// @param tested                 all engines that copy right, in the order in which they were tested
public record CopyChoice(String name, long toDeviceMegabytesPerSecond, long toHostMegabytesPerSecond, String why, List<CopyRates> tested) {

    public CopyChoice {
        tested = List.copyOf(tested);
    }
}
