package io.github.hmm4j.space;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Allocations whose segments share a scope: those of one arena, or some that were made one after the other ([Handles]). It tells a segment from those that had the same addresses
/// before, and ends when all of the allocations are freed: a touch through one of their segments throws from then on.
///
/// Threads: any. The books are guarded by the monitor of the [AddressSpace].
public final class Generation {

    private final Handles handles;
    private final Arena arena;
    private final MemorySegment all;
    private final boolean owned;
    int regions;
    int allocations;
    long lengthBytes; // of these
    boolean full; // no more are made in it
    boolean ended; // and all threads have taken note: the scope is not alive a moment before
    @Nullable Generation nextToEnd;

    /// @param all of the heap, in the scope of `arena`
    Generation(Handles handles, Arena arena, MemorySegment all, boolean owned) {
        this.handles = handles;
        this.arena = arena;
        this.all = all;
        this.owned = owned;
    }

    /// What every segment of it has.
    public MemorySegment.Scope scope() {
        return arena.scope();
    }

    /// Whether somebody else than the program frees the allocations: an arena.
    public boolean owned() {
        return owned;
    }

    public MemorySegment segment(long addressBytes, long lengthBytes) {
        return all.asSlice(addressBytes - all.address(), lengthBytes);
    }

    /// All of the heap.
    public MemorySegment all() {
        return all;
    }

    /// Whether it has ended, or is about to: some thread may not have taken note yet.
    public boolean isOver() {
        return !scope().isAlive();
    }

    /// There is a region of it more. Under the monitor of the space, as the next.
    void allocated(long regionBytes) {
        handles.allocated(this, regionBytes);
    }

    /// A part of one was taken out: so many regions more are left of it.
    void unmapped(int more) {
        regions += more;
        handles.endIfFreed(this);
    }

    /// Ends it: who touches a segment of it from now on gets an [IllegalStateException]. Waits for all threads to take note; one that sleeps in a touch takes note when that was served.
    ///
    /// @throws IllegalStateException if a native call uses a segment of it, or it has ended already; then nothing has ended
    public void end() {
        handles.end(this, arena);
    }
}
