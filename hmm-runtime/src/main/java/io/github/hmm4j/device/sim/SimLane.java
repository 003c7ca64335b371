package io.github.hmm4j.device.sim;

/// The two queues of a simulated device. Work is in order within a lane and **not** ordered between them.
public enum SimLane {
    /// Copies and fills.
    COPY,
    /// Kernels.
    COMPUTE
}
