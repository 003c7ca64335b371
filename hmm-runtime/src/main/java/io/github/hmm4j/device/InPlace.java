package io.github.hmm4j.device;

/// Whether kernels of a device can use host pages where they are, as far as it was tried.
///
/// @param proven    whether they read what the host had written and the host read what they had written, without a
///        command in between
/// @param why       one line for people
/// @param slowdown  how many times as long a kernel took there as in memory of the device's own; 0 if it was not
///        measured
public record InPlace(boolean proven, String why, double slowdown) {

    public static InPlace refuted(String why) {
        return new InPlace(false, why, 0);
    }
}
