package io.github.hmm4j.space;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The scopes of all segments of a heap, and their end.
///
/// To end one is a handshake with every thread: 70 to 100 microseconds, and milliseconds where all processors are busy, while to allocate and free 4 KiB takes 5. So a generation has as many
/// allocations as there were 64 times as many before it: a program that makes a few hundred, which live long, has one for each of them, and one that makes millions pays a 64th of a handshake for
/// each. It has no more than 32 MiB, if it has several, since addresses are not used again while a neighbour of theirs is in use.
///
/// Threads: any.
public final class Handles {

    static final int MOST_ALLOCATIONS = 64;
    static final long MOST_BYTES = 32L << 20;

    private static final int FEW_GENERATIONS = 64; // before they become larger
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final AddressSpace space;
    private final @Nullable ExecutorService owner; // of scopes that nobody can touch
    private final Set<Generation> living = ConcurrentHashMap.newKeySet();
    private final Map<MemorySegment.Scope, Boolean> ownedByScope = Collections.synchronizedMap(new WeakHashMap<>()); // of segments that the program may still have
    private final Generation whole;
    // guarded by the monitor of the space
    private @Nullable Generation current;
    private @Nullable Generation toEnd;
    private int toEndCount;
    private long allocations;

    private Handles(AddressSpace space, @Nullable ExecutorService owner) {
        this.space = space;
        this.owner = owner;
        whole = made(true);
        living.add(whole);
    }

    /// Segments that every thread can touch, until their generation ends.
    public static Handles touchable(AddressSpace space) {
        return new Handles(space, null);
    }

    /// Segments that nobody can touch: they are confined to a thread of ours. They are good as handles, and every raw access to them throws.
    public static Handles untouchable(AddressSpace space) {
        ExecutorService owner = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("hmm-handles").factory());
        try {
            return new Handles(space, owner);
        } catch (RuntimeException | Error e) {
            owner.shutdown();
            throw e;
        }
    }

    /// The heap's own segment of all of it, which lives as long as the heap and is nobody's allocation.
    public MemorySegment all() {
        return whole.all();
    }

    /// A generation of an arena's.
    public Generation openOwned() {
        return open(true);
    }

    private Generation open(boolean owned) {
        Generation generation = made(owned);
        ownedByScope.put(generation.scope(), owned);
        living.add(generation);
        return generation;
    }

    private Generation made(boolean owned) {
        return owner == null ? made(Arena.ofShared(), owned) : inOwner(owner, () -> made(Arena.ofConfined(), owned));
    }

    private Generation made(Arena arena, boolean owned) {
        return new Generation(this, arena, MemorySegment.ofAddress(space.baseBytes()).reinterpret(space.capacityBytes(), arena, null), owned);
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

    /// Whether a scope is that of allocations, which may be gone: with one that is not (of an address that the program has made a segment of) nobody can tell.
    public boolean knows(MemorySegment.Scope scope) {
        return ownedByScope.containsKey(scope);
    }

    /// The same of an arena of this heap.
    public boolean isArena(MemorySegment.Scope scope) {
        return Boolean.TRUE.equals(ownedByScope.get(scope));
    }

    // ---- called under the monitor of the space

    /// The one for an allocation of so many bytes, which is not made yet.
    Generation next(long lengthBytes) {
        if (current == null || current.full || (current.allocations > 0 && current.lengthBytes + lengthBytes > MOST_BYTES)) {
            Generation next = open(false);
            retire(current);
            current = next;
        }
        return current;
    }

    /// Nothing more is allocated in a generation, which may have had an address that is used again: else two of its segments would have it.
    void retire(@Nullable Generation generation) {
        if (generation != null && !generation.full) {
            generation.full = true;
            endIfFreed(generation);
        }
    }

    void allocated(Generation generation, long lengthBytes) {
        generation.regions++;
        if (generation == current) {
            allocations++;
            generation.allocations++;
            generation.lengthBytes += lengthBytes;
            generation.full = generation.lengthBytes >= MOST_BYTES || generation.allocations >= Math.clamp(allocations / FEW_GENERATIONS, 1, MOST_ALLOCATIONS);
        }
    }

    void endIfFreed(Generation generation) {
        if (generation.full && generation.regions == 0 && !generation.owned()) {
            endLater(generation);
        }
    }

    int countToEnd() {
        return toEndCount;
    }

    /// The generations that can end, in a list; the caller ends them.
    @Nullable Generation takeToEnd() {
        Generation all = toEnd;
        toEnd = null;
        toEndCount = 0;
        return all;
    }

    void endLater(Generation generation) {
        generation.nextToEnd = toEnd;
        toEnd = generation;
        toEndCount++;
    }

    // ----

    void end(Generation generation, Arena arena) {
        if (owner == null) {
            arena.close();
        } else {
            inOwner(owner, () -> {
                arena.close();
                return true;
            });
        }
        living.remove(generation);
    }

    /// Ends all of them. Threads that are within a native call with a segment are waited for.
    ///
    /// @return false if one of those did not end in time; then memory must stay
    public boolean close() {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        boolean interrupted = false;
        try {
            for (Generation generation : living) {
                while (!generation.isOver()) {
                    try {
                        generation.end();
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
