// runs.cl - many short runs of bytes between packed memory and their places, in one command: what the runtime moves scattered pages with.
//
// It is given all of the memory in which the places lie, and says in a value of its own which parts it uses: nothing has to be made, and given back, for each command. Other parts of that memory may be in use by
// other kernels meanwhile.
//
// In, Out: packed, and the memory of the places.
// Run n is blocks [at[n], at[n + 1]) of `packed`, and as many of `memory` from place[n] on; runs that are not there are empty, so `at` repeats its last value.
// Grid: one work-group of any size for each block of the runs, so at[RUNS] - at[0] of them.
// Needs: OpenCL C 1.2; 532 bytes of arguments, of the 1,024 that every full device takes.   Moves: each byte read once and written once.   Oracle: RunsTest.java
#define RUNS 64
#define BLOCK 256 // of uint4

struct runs {
    uint at[RUNS + 1];
    uint place[RUNS];
};

// How many blocks further a block lies in memory than in what is packed, modulo 2^32.
uint way_of(const struct runs *runs, const uint block) {
    uint run = 0;
    while (runs->at[run + 1] <= block) {
        run++;
    }
    return runs->place[run] - runs->at[run];
}

kernel void scatter_runs(global const uint4 *hmm_packed, const struct runs hmm_runs, global uint4 *hmm_memory) {
    const uint block = hmm_runs.at[0] + get_group_id(0);
    global const uint4 *packed = hmm_packed + (size_t)block * BLOCK;
    global uint4 *place = hmm_memory + (size_t)(block + way_of(&hmm_runs, block)) * BLOCK;
    for (uint i = get_local_id(0); i < BLOCK; i += get_local_size(0)) {
        place[i] = packed[i];
    }
}

kernel void gather_runs(global uint4 *hmm_packed, const struct runs hmm_runs, global const uint4 *hmm_memory) {
    const uint block = hmm_runs.at[0] + get_group_id(0);
    global uint4 *packed = hmm_packed + (size_t)block * BLOCK;
    global const uint4 *place = hmm_memory + (size_t)(block + way_of(&hmm_runs, block)) * BLOCK;
    for (uint i = get_local_id(0); i < BLOCK; i += get_local_size(0)) {
        packed[i] = place[i];
    }
}
