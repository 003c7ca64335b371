package io.github.hmm4j.device;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/// Windows onto chunks, kept because kernels are launched on the same ranges again and again. Guarded by the pool's
/// lock.
///
/// A slice is **held** from the request to the release. Held slices are never closed to make room, so what a launch was
/// given stays good until it is enqueued or done, whatever other threads ask for meanwhile; we rely neither on their
/// number nor on the driver keeping memory objects of enqueued kernels alive. Slices nobody holds are idle, and the
/// least recently used of these are closed beyond the limit.
final class SliceCache {

    private record Key(FrameChunk chunk, long offsetBytes, long lengthBytes) {}

    private static final class Entry {
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
    private final LinkedHashSet<Entry> idle = new LinkedHashSet<>();

    SliceCache(int maxIdle) {
        this.maxIdle = maxIdle;
    }

    DeviceMemory hold(FrameChunk chunk, long offsetBytes, long lengthBytes) {
        Key key = new Key(chunk, offsetBytes, lengthBytes);
        Entry entry = entries.get(key);
        if (entry == null) {
            entry = new Entry(key, chunk.memory.slice(offsetBytes, lengthBytes));
            entries.put(key, entry);
            bySlice.put(entry.slice, entry);
        } else {
            idle.remove(entry);
        }
        entry.holds++;
        return entry.slice;
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
            idle.add(entry);
            if (idle.size() > maxIdle) {
                Iterator<Entry> oldest = idle.iterator();
                close(oldest.next());
            }
        }
    }

    /// Closes the slices that overlap a byte range of a chunk.
    void drop(FrameChunk chunk, long offsetBytes, long lengthBytes) {
        List<Entry> doomed = new ArrayList<>();
        for (Entry entry : entries.values()) {
            Key key = entry.key;
            if (key.chunk == chunk && key.offsetBytes < offsetBytes + lengthBytes
                    && offsetBytes < key.offsetBytes + key.lengthBytes) {
                doomed.add(entry);
            }
        }
        doomed.forEach(this::close);
    }

    private void close(Entry entry) {
        entries.remove(entry.key);
        bySlice.remove(entry.slice);
        idle.remove(entry);
        entry.slice.close();
    }

    int size() {
        return entries.size();
    }
}
