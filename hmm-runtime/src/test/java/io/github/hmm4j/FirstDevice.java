package io.github.hmm4j;

/// The device that tests run on which ask for none.
public final class FirstDevice {

    private FirstDevice() {}

    /// Whether kernels can fault there.
    public static boolean worksInHostMemory() {
        try (Hmm any = Hmm.builder().heap(ByteSize.mib(2)).open()) {
            return any.device().info().unifiedMemory();
        }
    }
}
