// Reverses linked lists of the managed heap in place: reads and writes pointers, through a function that gets the heap.
#include "hmm.clh"

struct item {
    ulong next;
    long value;
};

static ulong list_reverse(HMM_HEAP, ulong list) {
    ulong reversed = 0;
    while (list != 0) {
        global struct item *item = HMM_PTR(struct item, list);
        const ulong next = HMM_CONST_PTR(struct item, list)->next;
        item->next = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

kernel void reverse_lists(HMM_HEAP, global ulong *head, const uint count) {
    const size_t i = get_global_id(0);
    if (i < count) {
        head[i] = list_reverse(HMM_HEAP_ARG, head[i]);
    }
}
