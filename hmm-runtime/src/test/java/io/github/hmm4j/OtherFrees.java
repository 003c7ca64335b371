package io.github.hmm4j;

/// Makes addresses that were freed free for others: they wait until so many other regions have been freed after them.
public final class OtherFrees {

    /// How many.
    public static final int COUNT = 64;

    private OtherFrees() {}

    /// From now on an allocation may get any address that was freed before.
    public static void pass(ManagedHeap heap) {
        for (int i = 0; i < COUNT; i++) {
            heap.free(heap.allocate(heap.pageSize().bytes(), 1));
        }
    }
}
