package io.github.hmm4j;

import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.VaRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// The whole heap as one segment, of which every allocation is a slice; and its end.
final class Segments {

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final MemorySegment all;
    private final Arena arena;
    private final boolean touchable;

    private Segments(MemorySegment all, Arena arena, boolean touchable) {
        this.all = all;
        this.arena = arena;
        this.touchable = touchable;
    }

    /// A segment that every thread can touch, until it is closed.
    static Segments touchable(AddressSpace space) {
        Arena arena = Arena.ofShared();
        return new Segments(MemorySegment.ofAddress(space.baseBytes()).reinterpret(space.capacityBytes(), arena, null), arena, true);
    }

    /// A segment that nobody can touch: it is confined to a thread that has ended. Its slices are good as handles, and every raw access to them throws.
    static Segments untouchable(AddressSpace space) {
        Segments[] made = new Segments[1];
        Thread owner = Thread.ofPlatform().name("hmm-handles").start(() -> {
            Arena arena = Arena.ofConfined();
            made[0] = new Segments(MemorySegment.ofAddress(space.baseBytes()).reinterpret(space.capacityBytes(), arena, null), arena, false);
        });
        boolean interrupted = false;
        while (true) {
            try {
                owner.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return made[0];
    }

    /// The addresses of a segment within one allocation.
    ///
    /// @throws IllegalArgumentException if it is something else
    static VaRange rangeOf(AddressSpace space, MemorySegment segment) {
        if (!segment.isNative() || !space.contains(segment.address())) {
            throw new IllegalArgumentException(
                    "this memory is not of this heap, allocate it there (heap.allocate, heap.allocateFrom): " + segment);
        }
        VaRange range = VaRange.ofLength(segment.address(), segment.byteSize());
        space.regionOf(range);
        return range;
    }

    MemorySegment all() {
        return all;
    }

    /// Ends all segments: whoever touches one from now on gets an [IllegalStateException]. Threads that are within a native call with one are waited for.
    ///
    /// @return false if one of those did not end in time; then memory must stay
    boolean close() {
        if (!touchable || !arena.scope().isAlive()) {
            return true;
        }
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    arena.close();
                    return true;
                } catch (IllegalStateException inUse) {
                    if (System.nanoTime() > deadline) {
                        return false;
                    }
                    interrupted |= Thread.interrupted(); // a nap would end at once
                    LockSupport.parkNanos(NAP_NANOS);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
