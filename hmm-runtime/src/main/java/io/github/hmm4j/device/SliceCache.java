package io.github.hmm4j.device;

import io.github.hmm4j.error.HmmException;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Windows onto chunks, kept because kernels are launched on the same ranges again and again. Guarded by the
/// memory's lock.
///
/// A slice is **held** from the request to the release. Held slices are never closed to make room, so what a launch was
/// given stays good until it is enqueued or done, whatever other threads ask for meanwhile; we rely neither on their
/// number nor on the driver keeping memory objects of enqueued kernels alive. Slices nobody holds are idle, and the
/// least recently used of these are closed beyond the limit.
///
/// Releasing and dropping happen on the way out of errors, too, so they take nothing from the Java heap: entries are linked to each other.
final class SliceCache {

    private record Key(FrameChunk chunk, long offsetBytes, long lengthBytes) {}

    /// A place in a ring; alone in one of its own at first.
    private static class Link {
        Link before = this;
        Link after = this;

        final void unlink() {
            before.after = after;
            after.before = before;
            before = this;
            after = this;
        }

        final void linkBefore(Link next) {
            before = next.before;
            after = next;
            before.after = this;
            next.before = this;
        }
    }

    private static final class Entry extends Link {
        final Key key;
        final DeviceMemory slice;
        int holds;

        Entry(Key key, DeviceMemory slice) {
            this.key = key;
            this.slice = slice;
        }
    }

    private final int maxIdle;
    private final Map<Key, Entry> entries = new HashMap<>();
    private final IdentityHashMap<DeviceMemory, Entry> bySlice = new IdentityHashMap<>();
    private final Link held = new Link(); // both are beginning and end of a ring of entries
    private final Link idle = new Link(); // the least recently used is the first behind it
    private int idleCount;

    SliceCache(int maxIdle) {
        this.maxIdle = maxIdle;
    }

    /// The slice if it is kept; else null.
    @Nullable DeviceMemory holdKnown(FrameChunk chunk, long offsetBytes, long lengthBytes) {
        Entry entry = entries.get(new Key(chunk, offsetBytes, lengthBytes));
        if (entry == null) {
            return null;
        }
        if (entry.holds == 0) {
            idleCount--;
            entry.unlink();
            entry.linkBefore(held);
        }
        entry.holds++;
        return entry.slice;
    }

    DeviceMemory hold(FrameChunk chunk, long offsetBytes, long lengthBytes) {
        DeviceMemory known = holdKnown(chunk, offsetBytes, lengthBytes);
        if (known != null) {
            return known;
        }
        Entry entry = add(new Key(chunk, offsetBytes, lengthBytes), chunk.memory.slice(offsetBytes, lengthBytes));
        entry.holds++;
        return entry.slice;
    }

    private Entry add(Key key, DeviceMemory slice) {
        try {
            Entry entry = new Entry(key, slice);
            entries.put(key, entry);
            bySlice.put(slice, entry);
            entry.linkBefore(held);
            return entry;
        } catch (RuntimeException | Error e) {
            entries.remove(key);
            bySlice.remove(slice);
            slice.close(); // nobody knows it
            throw e;
        }
    }

    /// A slice that was dropped with its frames is no longer known, and releasing it does nothing.
    void release(DeviceMemory slice) {
        Entry entry = bySlice.get(slice);
        if (entry == null) {
            return;
        }
        if (entry.holds == 0) {
            throw new IllegalStateException("slice of " + slice.lengthBytes()
                    + " bytes is released more often than it was taken");
        }
        if (--entry.holds == 0) {
            entry.unlink();
            entry.linkBefore(idle);
            idleCount++;
            if (idleCount > maxIdle) {
                close((Entry) idle.after);
            }
        }
    }

    /// Closes the slices that overlap a byte range of a chunk.
    ///
    /// @return why the first that is not closed is not; it is dropped all the same
    @Nullable HmmException drop(FrameChunk chunk, long offsetBytes, long lengthBytes) {
        HmmException failure = drop(held, chunk, offsetBytes, lengthBytes);
        HmmException other = drop(idle, chunk, offsetBytes, lengthBytes);
        return failure == null ? other : failure;
    }

    private @Nullable HmmException drop(Link ring, FrameChunk chunk, long offsetBytes, long lengthBytes) {
        HmmException failure = null;
        Link next = ring.after;
        while (next instanceof Entry entry) { // the ring's own link is none
            next = entry.after;
            Key key = entry.key;
            if (key.chunk == chunk && key.offsetBytes < offsetBytes + lengthBytes
                    && offsetBytes < key.offsetBytes + key.lengthBytes) {
                try {
                    close(entry);
                } catch (HmmException e) {
                    failure = failure == null ? e : failure;
                }
            }
        }
        return failure;
    }

    private void close(Entry entry) {
        entries.remove(entry.key);
        bySlice.remove(entry.slice);
        entry.unlink();
        idleCount -= entry.holds == 0 ? 1 : 0;
        entry.slice.close();
    }

    int size() {
        return entries.size();
    }
}
