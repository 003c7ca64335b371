package io.github.hmm4j.mirror;

import java.util.Arrays;
import java.util.Locale;

/// Whether kernels of a device have pages of their own or use the host's where they are.
public enum PlacementMode {
    /// In place where the device shares the host's memory, proves it, and its kernels are then about as fast as in
    /// memory of its own; private elsewhere.
    AUTO,
    /// The device has pages of its own: they move there and come home.
    PRIVATE,
    /// Kernels read and write host pages where they are: nothing moves, and nothing takes a budget. Only for devices
    /// that prove to share the host's memory. A touch waits for no kernel; kernels wait for each other as elsewhere.
    IN_PLACE;

    /// The mode called `name`, as [#toString()] writes it.
    ///
    /// @throws IllegalArgumentException if there is none
    public static PlacementMode of(String name) {
        return Arrays.stream(values()).filter(mode -> mode.toString().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "placement=" + name + ", must be one of " + Arrays.toString(values())));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
