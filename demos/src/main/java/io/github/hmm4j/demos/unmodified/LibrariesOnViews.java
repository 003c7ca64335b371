package io.github.hmm4j.demos.unmodified;

import io.github.hmm4j.Access;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;

/// The same where host access is checked: the libraries get views of managed memory.
final class LibrariesOnViews extends Libraries {
    private final ManagedHeap heap;

    LibrariesOnViews(ManagedHeap heap) {
        this.heap = heap;
    }

    @Override
    void fill(MemorySegment values, long seed) {
        try (HostView view = heap.view(values, Access.WRITE)) {
            super.fill(view.segment(), seed);
        }
    }

    @Override
    long crc32c(MemorySegment bytes) {
        try (HostView view = heap.view(bytes, Access.READ)) {
            return super.crc32c(view.segment());
        }
    }

    @Override
    String sha256(MemorySegment bytes) {
        try (HostView view = heap.view(bytes, Access.READ)) {
            return super.sha256(view.segment());
        }
    }

    @Override
    int compress(MemorySegment plain, MemorySegment packed) {
        try (HostView from = heap.view(plain, Access.READ); HostView to = heap.view(packed, Access.WRITE)) {
            return super.compress(from.segment(), to.segment());
        }
    }

    @Override
    void decompress(MemorySegment packed, MemorySegment plain) {
        try (HostView from = heap.view(packed, Access.READ); HostView to = heap.view(plain, Access.WRITE)) {
            super.decompress(from.segment(), to.segment());
        }
    }
}
