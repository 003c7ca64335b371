// forge.cl - a kernel that tells the host what is not so: words of its page table, its queue and its flags, round by round, as a script says. For ForgedQueueTest.
#include "hmm.clh"

#define CONTROL 0u
#define QUEUE 1u
#define NOTED 2u
#define ENTRY 3u
#define TOUCHED 4u
#define ITEM 5u
#define MISS 6u
#define ANYTHING 7u

// Work-item 0 forges and never comes to its end. Those after it, as far as they are honest, write 7000 + i to a page each.
// In: script, {what, where, value} each; begins, where each round's begin in it, and one more at the end, for so many
// rounds, which are repeated. Out: so_far, how many rounds there were.
kernel void forge(HMM_HEAP, const ulong mine, const uint honest, global const uint *script, global const uint *begins, const uint rounds, global uint *so_far) {
    const uint i = (uint)get_global_id(0);
    if (i == 0) {
        const uint now = so_far[0]++ % rounds;
        for (uint at = begins[now]; at < begins[now + 1]; at++) {
            const uint where = script[3 * at + 1];
            const uint value = script[3 * at + 2];
            switch (script[3 * at]) {
            case CONTROL:
                hmm_pages[where] = value;
                break;
            case QUEUE:
                hmm_pages[HMM_QUEUE_AT + where] = value;
                break;
            case NOTED:
                hmm_pages[HMM_NOTED_AT + where] = value;
                break;
            case ENTRY:
                hmm_pages[HMM_TABLE_AT + where] = value;
                break;
            case TOUCHED:
                ((global uchar *)&hmm_pages[HMM_TOUCHED_AT])[where] = (uchar)value;
                break;
            case ITEM:
                hmm_items[where] = (uchar)value;
                break;
            case MISS:
                hmm_miss(hmm_pages, where, value);
                break;
            default: // all that the host reads, and a good part of the rest
                for (uint word = 0, x = value; word < HMM_QUEUE_AT + 2 * HMM_QUEUE_ENTRIES; word++) {
                    x = x * 1664525u + 1013904223u;
                    hmm_pages[word] = value == 0 ? 0xFFFFFFFFu : x;
                }
            }
        }
        return;
    }
    HMM_BEGIN;
    if (i < honest) {
        global uint *slot = HMM_WRITE(uint, mine + ((ulong)i << HMM_PAGE_SHIFT));
        if (!slot) {
            return;
        }
        *slot = 7000 + i;
    }
    HMM_END;
}
