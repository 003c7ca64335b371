package io.github.hmm4j;

import io.github.hmm4j.device.DeviceInfo;
import java.util.Locale;

/// The device that tests run on which ask for none.
public final class FirstDevice {

    private FirstDevice() {}

    /// Whether kernels use host memory where it is, so that they can fault. Those of a Mali share the host's memory, but what they are given of it by an address is a copy.
    public static boolean worksInHostMemory() {
        try (Hmm any = Hmm.builder().heap(ByteSize.mib(2)).open()) {
            DeviceInfo info = any.device().info();
            return info.unifiedMemory() && !info.name().toLowerCase(Locale.ROOT).contains("mali");
        }
    }
}
