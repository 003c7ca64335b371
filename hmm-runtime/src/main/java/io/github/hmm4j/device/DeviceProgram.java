package io.github.hmm4j.device;

import java.util.List;

/// A program compiled for one device.
public interface DeviceProgram extends AutoCloseable {

    /// Names of the kernels in it, in no particular order.
    List<String> kernelNames();

    /// @throws IllegalArgumentException if there is no such kernel; the message lists those there are
    DeviceKernel kernel(String name);

    /// Releases the program and its kernels. Idempotent.
    @Override
    void close();
}
