package io.github.hmm4j.device;

import java.util.List;

/// Moves pages between the host and one device: the DMA engine.
///
/// A batch is submitted whole and flushed; several batches may be in flight, and those of one direction end in the order submitted. A call that throws has
/// submitted nothing that still runs: when it returns or throws, no copy of that batch touches memory behind the caller's back, except a batch that was returned and not yet awaited.
public interface CopyEngine extends AutoCloseable {

    /// How it works, for people: `direct`, `staged`, `copy`.
    String name();

    /// Copies host pages to the device. The host pages must not change until the completion is done.
    Completion toDevice(List<CopyRun> batch);

    /// Copies device memory to host pages. The bytes are in place when `await` returns, not before.
    Completion toHost(List<CopyRun> batch);

    /// Fills device memory with zeros.
    Completion zero(DeviceMemory memory, long offsetBytes, long lengthBytes);

    /// Waits for everything submitted and releases what the engine holds. Idempotent.
    @Override
    void close();
}
