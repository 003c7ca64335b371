// in_place.cl - the proof that kernels work in the host's memory and not in a copy of it: the runtime's self-test lets a host take part. Oracle: InPlaceTest.java.
//
// Needs: OpenCL C 1.2; take_turns also a host that reads and writes `line` while it runs, to be answered at all.

// words[i] becomes words[i] * factor + i.   In, Out: words.   Grid: one work-item a word.   Moves: 16 bytes a word, all sequential.
kernel void change_words(global ulong *words, const ulong factor) {
    size_t i = get_global_id(0);
    words[i] = words[i] * factor + i;
}

// Talks with the host while it runs, by words next to each other: in turn t = 1, 2, ... writes t to line[0] and 3 t to line[2], and waits until the host has written t to line[1].
// line[4] = turns that were answered; fewer than `turns` if the host's word was not seen within `patience` looks, or one more. line[6] = looks in the last turn: `patience` where it was not, unless the
// driver ends loops before that, as Mesa's llvmpipe does after 65,535 rounds of all loops of a work-item.   In, Out: line, 7 words.   Grid: one work-item.
kernel void take_turns(volatile global uint *line, const uint turns, const uint patience) {
    uint answered = 0;
    uint looks = 0;
    for (uint t = 1; t <= turns; t++) {
        line[2] = 3 * t;
        mem_fence(CLK_GLOBAL_MEM_FENCE);
        line[0] = t;
        looks = 0;
        while (line[1] != t && looks < patience) {
            looks++;
        }
        if (line[1] != t) {
            break;
        }
        answered = t;
    }
    line[4] = answered;
    line[6] = looks;
}
