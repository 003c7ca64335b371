package io.github.hmm4j.device.opencl;

/// The copy engine of a device, and how it came to be chosen.
///
/// @param name                   `direct` or `staged`
/// @param toDeviceMegabytesPerSecond measured by the self-test (10^6 bytes)
/// @param toHostMegabytesPerSecond   measured by the self-test (10^6 bytes)
/// @param why                    one line for people
public record CopyChoice(String name, long toDeviceMegabytesPerSecond, long toHostMegabytesPerSecond, String why) {}
