package io.github.hmm4j;

import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.VaRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The whole heap as one segment, of which every allocation is a slice; and its end. Arenas have such a segment each,
/// with an end of its own.
final class Segments {

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final AddressSpace space;
    private final @Nullable ExecutorService owner; // of scopes that nobody can touch
    private final Set<Part> parts = ConcurrentHashMap.newKeySet();
    private final MemorySegment all;

    private Segments(AddressSpace space, @Nullable ExecutorService owner) {
        this.space = space;
        this.owner = owner;
        all = open().all();
    }

    /// Segments that every thread can touch, until they are closed.
    static Segments touchable(AddressSpace space) {
        return new Segments(space, null);
    }

    /// Segments that nobody can touch: they are confined to a thread of ours. Their slices are good as handles, and
    /// every raw access to them throws.
    static Segments untouchable(AddressSpace space) {
        ExecutorService owner = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("hmm-handles").factory());
        try {
            return new Segments(space, owner);
        } catch (RuntimeException | Error e) {
            owner.shutdown();
            throw e;
        }
    }

    /// The addresses of a segment within one allocation.
    ///
    /// @throws IllegalArgumentException if it is something else
    /// @throws IllegalStateException    if its arena is closed
    static VaRange rangeOf(AddressSpace space, MemorySegment segment) {
        requireManaged(space, segment);
        VaRange range = VaRange.ofLength(segment.address(), segment.byteSize());
        try {
            space.regionOf(range);
        } catch (IllegalArgumentException e) {
            requireAlive(segment); // its arena may have been closed just now
            throw e;
        }
        return range;
    }

    /// That a segment is memory of the heap, and was not in an arena that is closed.
    ///
    /// @throws IllegalArgumentException if it is something else
    /// @throws IllegalStateException    if its arena is closed
    static void requireManaged(AddressSpace space, MemorySegment segment) {
        Objects.requireNonNull(segment, "segment");
        if (!segment.isNative() || !space.contains(segment.address())) {
            throw new IllegalArgumentException(
                    "this memory is not of this heap, allocate it there (heap.allocate, heap.allocateFrom): " + segment);
        }
        requireAlive(segment);
    }

    /// Whoever has looked a segment up and then holds what keeps its pages looks again: if its arena has closed in
    /// between, the addresses may be somebody else's by now.
    ///
    /// @throws IllegalStateException if its arena is closed
    static void requireAlive(MemorySegment segment) {
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException("the arena of this memory is closed, the memory is freed: " + segment);
        }
    }

    /// What fails because the segment's arena was closed meanwhile, and the memory freed, is told as that.
    ///
    /// @throws IllegalStateException if it was
    static <T> T using(MemorySegment segment, Supplier<T> work) {
        try {
            return work.get();
        } catch (IllegalArgumentException | AccessViolationException e) {
            requireAlive(segment);
            throw e;
        }
    }

    /// The same; nothing is made for it once the work is done.
    static void use(MemorySegment segment, Runnable work) {
        try {
            work.run();
        } catch (IllegalArgumentException | AccessViolationException e) {
            requireAlive(segment);
            throw e;
        }
    }

    /// The heap's own, which lives as long as the heap.
    MemorySegment all() {
        return all;
    }

    /// One segment of all of the heap.
    ///
    /// @param owner of a segment that nobody can touch
    record Part(Arena arena, MemorySegment all, @Nullable ExecutorService owner) {

        /// @throws IllegalStateException if a native call uses a segment of it; then nothing has ended
        private void end() {
            if (owner == null) {
                arena.close();
            } else {
                inOwner(owner, () -> {
                    arena.close();
                    return true;
                });
            }
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /// All of the heap once more, until that [ends][#end].
    Part open() {
        Part part = owner == null ? part(Arena.ofShared()) : inOwner(owner, () -> part(Arena.ofConfined()));
        parts.add(part);
        return part;
    }

    private Part part(Arena arena) {
        return new Part(arena, MemorySegment.ofAddress(space.baseBytes()).reinterpret(space.capacityBytes(), arena, null), owner);
    }

    /// @throws IllegalStateException if a native call uses a segment of it, or it has ended already
    void end(Part part) {
        part.end();
        parts.remove(part);
    }

    private static <T> T inOwner(ExecutorService owner, Supplier<T> work) {
        try {
            return CompletableFuture.supplyAsync(work, owner).join();
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw e;
            }
        }
    }

    /// Ends all segments: whoever touches one from now on gets an [IllegalStateException]. Threads that are within a native call with one are waited for.
    ///
    /// @return false if one of those did not end in time; then memory must stay
    boolean close() {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        boolean interrupted = false;
        try {
            for (Part part : parts) {
                while (part.arena().scope().isAlive()) {
                    try {
                        part.end();
                    } catch (IllegalStateException inUse) {
                        if (System.nanoTime() > deadline) {
                            return false;
                        }
                        interrupted |= Thread.interrupted(); // a nap would end at once
                        LockSupport.parkNanos(NAP_NANOS);
                    }
                }
            }
            if (owner != null) {
                owner.shutdown();
            }
            return true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
