package io.github.hmm4j;

import io.github.hmm4j.device.opencl.ClLoan;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.VaRange;
import java.lang.foreign.MemorySegment;

/// Managed memory as a library that calls OpenCL itself can take it ([ManagedHeap#lease]): a buffer on the device with
/// the bytes of a segment, and a queue.
///
/// The buffer is a **copy**, made on the device when the lease begins and brought back when it is closed; what host and
/// kernels do with the segment meanwhile the library does not see, and if the lease writes, its bytes replace all that.
/// So nobody waits for a lease, however long it takes: a touch that waited for it would keep the JVM from every
/// safepoint, and with that from closing it.
///
/// Handles are those of the driver, as LWJGL takes them, good until the lease or the heap is closed; to ask for one
/// after that is an [IllegalStateException]. Threads: any.
public final class DeviceLease implements AutoCloseable {

    private final Lifetime lifetime;
    private final HeapCopies copies;
    private final AddressSpace space;
    private final DeviceMirror mirror;
    private final MemorySegment segment;
    private final VaRange range;
    private final Arg.Intent intent;
    private final ClLoan loan;
    private volatile boolean closed;

    DeviceLease(Lifetime lifetime, HeapCopies copies, AddressSpace space, DeviceMirror mirror, MemorySegment segment, VaRange range, Arg.Intent intent, ClLoan loan) {
        this.lifetime = lifetime;
        this.copies = copies;
        this.space = space;
        this.mirror = mirror;
        this.segment = segment;
        this.range = range;
        this.intent = intent;
        this.loan = loan;
    }

    /// The `cl_mem`, which begins with the segment's first byte and ends with its last.
    public long memory() {
        return open().memory().nativeHandle();
    }

    /// A `cl_command_queue` of this lease alone, in order. What is enqueued elsewhere must have ended before the lease
    /// is closed.
    public long queue() {
        return open().queue();
    }

    /// The `cl_context` of both.
    public long context() {
        return open().context();
    }

    /// The `cl_device_id`.
    public long device() {
        return open().device();
    }

    private ClLoan open() {
        if (closed || loan.isClosed()) {
            throw new IllegalStateException(
                    this + ": its handles are the driver's again; keep it open while the library uses them");
        }
        return loan;
    }

    public long lengthBytes() {
        return range.lengthBytes();
    }

    /// Waits for the queue, takes the bytes back if the lease writes, and gives everything back to the device.
    /// Idempotent. Whether commands of the library have failed is for its caller to check.
    ///
    /// @throws IllegalStateException                    if the heap or the segment's arena was closed before; what the lease has written is lost. If the calling thread holds a view of the segment: then the
    ///                                                  lease is open still
    /// @throws IllegalArgumentException                 if the segment was freed before; what the lease has written is lost
    /// @throws io.github.hmm4j.error.HmmException if the device fails, or views keep the pages from it for longer than the launch timeout; the lease is open still
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        try (Lifetime.Hold _ = lifetime.change("closing a lease")) {
            loan.finish();
            if (intent.writes() && Segments.isCurrent(space, segment)) {
                Segments.use(space, segment, () -> copies.takeBack(mirror, loan.memory(), segment, range));
            }
        } finally {
            if (!Segments.isCurrent(space, segment)) { // nothing can be done any more
                closed = true;
                loan.close();
            }
        }
        if (!closed) {
            closed = true;
            loan.close();
        }
        if (intent.writes()) {
            Segments.requireCurrent(space, segment);
        }
    }

    @Override
    public String toString() {
        return "lease of %s on %s, %s%s".formatted(range, mirror, intent, closed ? ", closed" : "");
    }
}
