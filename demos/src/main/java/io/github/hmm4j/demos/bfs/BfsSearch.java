package io.github.hmm4j.demos.bfs;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// A search through bare OpenCL.
interface BfsSearch extends AutoCloseable {

    /// Searches from `source` and shows the depth of every vertex to `reader`, which may not keep them.
    void search(int source, Consumer<MemorySegment> reader);

    @Override
    void close();
}
