package io.github.hmm4j.device;

import java.util.List;

/// Moves pages between the host and one device: the DMA engine.
///
/// A batch is submitted whole and flushed; several batches may be in flight, and those of one direction end in the order submitted. A call that throws has
/// submitted nothing that still runs: when it returns or throws, no copy of that batch touches memory behind the caller's back, except a batch that was returned and not yet awaited.
public interface CopyEngine extends AutoCloseable {

    /// How many threads share one copy between host pages and staging memory, at most: half the processors, since the driver's own threads and the application's want some, too; or what `-Dhmm.copyThreads` says.
    ///
    /// @throws IllegalArgumentException if it says something else than a number from 1 to 4
    static int threads() {
        String said = System.getProperty("hmm.copyThreads");
        if (said == null) {
            return Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, 4);
        }
        if (!said.matches("[1-4]")) {
            throw new IllegalArgumentException("hmm.copyThreads=" + said + ", must be from 1 to 4");
        }
        return Integer.parseInt(said);
    }

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
