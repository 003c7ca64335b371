package io.github.hmm4j.device.opencl;

/// Whether a device copies pages home while a kernel runs that does not use them, as far as it was tried.
///
/// @param proven whether it does; else a touch of any page of the device waits for whatever kernel runs
/// @param why    one line for people
public record Overlap(boolean proven, String why) {}
