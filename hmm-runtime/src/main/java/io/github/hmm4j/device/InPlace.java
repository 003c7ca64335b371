package io.github.hmm4j.device;

/// Whether kernels of a device can use host pages where they are, as far as it was tried.
///
/// @param proven    whether they read what the host had written and the host read what they had written, without a
///        command in between
/// @param why       one line for people
/// @param byAddress whether kernels are given the address of the bytes itself: then nothing is as long as one allocation at most, and a pointer starts wherever its type may
/// @param slowdown  how many times as long a kernel took there as in memory of the device's own; 0 if it was not
///        measured
public record InPlace(boolean proven, String why, boolean byAddress, double slowdown) {

    public static InPlace refuted(String why) {
        return new InPlace(false, why, false, 0);
    }
}
