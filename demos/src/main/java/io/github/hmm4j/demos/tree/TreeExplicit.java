package io.github.hmm4j.demos.tree;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/// Looks words up in a tree through bare OpenCL. The device does not know the addresses in the tree, so a second tree
/// is made whose pointers are offsets into a buffer, and copied there.
final class TreeExplicit implements AutoCloseable {
    private static final long CL_MEM_WRITE_ONLY = 1 << 1;
    private static final long CL_MEM_READ_ONLY = 1 << 2;
    /// The offset of the first node, since 0 means that there is none.
    private static final long FIRST_OFFSET = WordNode.ALIGNMENT_BYTES;

    private final ClApi cl;
    private final long queue;
    private final int count;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment nodes;
    private final MemorySegment shipped;
    private final MemorySegment words;
    private final MemorySegment offsets;
    private final MemorySegment hashes;
    private final MemorySegment found;
    private final WordTree tree;
    private final long bufferNodes;
    private final long bufferWords;
    private final long bufferOffsets;
    private final long bufferHashes;
    private final long bufferFound;
    private final long program;
    private final long treeSearch;

    TreeExplicit(BareOpenCl device, List<String> treeWords, Lookups lookups) {
        this.cl = device.api();
        this.queue = device.queue();
        this.count = lookups.count();
        nodes = arena.allocate(WordTree.sizeBytes(treeWords), WordNode.ALIGNMENT_BYTES);
        shipped = arena.allocate(nodes.byteSize(), WordNode.ALIGNMENT_BYTES);
        words = arena.allocate(lookups.wordsBytes());
        offsets = arena.allocate(lookups.offsetsBytes(), Long.BYTES);
        hashes = arena.allocate(lookups.hashesBytes(), Long.BYTES);
        found = arena.allocate(JAVA_INT, count);
        tree = WordTree.build(treeWords, nodes, nodes.address());
        lookups.pack(words, offsets, hashes);
        bufferNodes = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, nodes.byteSize(), 0);
        bufferWords = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, words.byteSize(), 0);
        bufferOffsets = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, offsets.byteSize(), 0);
        bufferHashes = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, hashes.byteSize(), 0);
        bufferFound = cl.createBuffer(device.context(), CL_MEM_WRITE_ONLY, found.byteSize(), 0);
        program = cl.createProgram(device.context(), Source.resource("tree.cl").text());
        if (!cl.build(program, device.device(), "-cl-std=CL1.2")) {
            throw new IllegalStateException(cl.buildLog(program, device.device()));
        }
        treeSearch = cl.createKernel(program, "tree_search");
    }

    /// Answers all look-ups and shows the answers to `reader`, which may not keep them.
    void search(Consumer<MemorySegment> reader) {
        translatePointers();
        write(bufferNodes, shipped);
        write(bufferWords, words);
        write(bufferOffsets, offsets);
        write(bufferHashes, hashes);
        setArguments();
        long event = cl.enqueueKernel(queue, treeSearch, new long[] {(count + 63L) / 64 * 64}, new long[] {64});
        cl.enqueueRead(queue, bufferFound, 0, found.byteSize(), found.address(), false);
        cl.finish(queue);
        cl.waitFor(event);
        int status = cl.eventStatus(event);
        cl.releaseEvent(event);
        ClStatus.check(status, "clEnqueueNDRangeKernel", "kernel=tree_search");
        reader.accept(found);
    }

    private void write(long buffer, MemorySegment from) {
        cl.enqueueWrite(queue, buffer, 0, from.byteSize(), from.address(), false);
    }

    private void setArguments() {
        try (Arena values = Arena.ofConfined()) {
            cl.setMemory(treeSearch, 0, bufferNodes);
            cl.setValue(treeSearch, 1, values.allocateFrom(JAVA_LONG, FIRST_OFFSET));
            cl.setValue(treeSearch, 2, values.allocateFrom(JAVA_LONG, translated(tree.rootAddress())));
            cl.setMemory(treeSearch, 3, bufferWords);
            cl.setMemory(treeSearch, 4, bufferOffsets);
            cl.setMemory(treeSearch, 5, bufferHashes);
            cl.setMemory(treeSearch, 6, bufferFound);
            cl.setValue(treeSearch, 7, values.allocateFrom(JAVA_INT, count));
            cl.setValue(treeSearch, 8, values.allocateFrom(JAVA_INT, tree.depth()));
        }
    }

    /// Copies the tree node by node, with offsets for addresses.
    private void translatePointers() {
        shipped.copyFrom(nodes);
        for (long node = 0; node < tree.usedBytes(); node += WordNode.sizeBytes(WordNode.wordBytes(nodes, node))) {
            WordNode.setChild(shipped, node, false, translated(WordNode.child(nodes, node, false)));
            WordNode.setChild(shipped, node, true, translated(WordNode.child(nodes, node, true)));
        }
    }

    private long translated(long address) {
        return address == 0 ? 0 : address - nodes.address() + FIRST_OFFSET;
    }

    @Override
    public void close() {
        cl.finish(queue);
        cl.releaseKernel(treeSearch);
        cl.releaseProgram(program);
        cl.releaseMemory(bufferNodes);
        cl.releaseMemory(bufferWords);
        cl.releaseMemory(bufferOffsets);
        cl.releaseMemory(bufferHashes);
        cl.releaseMemory(bufferFound);
        arena.close();
    }
}
