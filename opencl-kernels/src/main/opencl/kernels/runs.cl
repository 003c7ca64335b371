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

#define EIGHT(each, n) each(n##0) each(n##1) each(n##2) each(n##3) each(n##4) each(n##5) each(n##6) each(n##7)
#define EVERY(each) EIGHT(each, 0) EIGHT(each, 01) EIGHT(each, 02) EIGHT(each, 03) EIGHT(each, 04) EIGHT(each, 05) EIGHT(each, 06) EIGHT(each, 07) // in octal
// For each run in order, how many blocks further its blocks lie in memory than in what is packed, modulo 2^32: the last that begins at the block or before is the one that has it; those that are not there
// begin behind all blocks. Each entry by a constant: Mesa's Rusticl 22.3 ends the process that looks one up by a variable.
#define LATER(n) way = hmm_runs.at[n] <= block ? hmm_runs.place[n] - hmm_runs.at[n] : way;

kernel void scatter_runs(global const uint4 *hmm_packed, const struct runs hmm_runs, global uint4 *hmm_memory) {
    const uint block = hmm_runs.at[0] + get_group_id(0);
    uint way = 0;
    EVERY(LATER)
    global const uint4 *packed = hmm_packed + (size_t)block * BLOCK;
    global uint4 *place = hmm_memory + (size_t)(block + way) * BLOCK;
    for (uint i = get_local_id(0); i < BLOCK; i += get_local_size(0)) {
        place[i] = packed[i];
    }
}

kernel void gather_runs(global uint4 *hmm_packed, const struct runs hmm_runs, global const uint4 *hmm_memory) {
    const uint block = hmm_runs.at[0] + get_group_id(0);
    uint way = 0;
    EVERY(LATER)
    global uint4 *packed = hmm_packed + (size_t)block * BLOCK;
    global const uint4 *place = hmm_memory + (size_t)(block + way) * BLOCK;
    for (uint i = get_local_id(0); i < BLOCK; i += get_local_size(0)) {
        packed[i] = place[i];
    }
}
