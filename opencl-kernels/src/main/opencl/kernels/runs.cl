// runs.cl - many short runs of bytes between packed memory and their places, in one command: what the runtime moves scattered pages with.
//
// Each place is an argument of its own, so that a command names exactly the bytes it uses: other parts of the memory they lie in may be in use by other kernels meanwhile.
//
// In, Out: packed, and the places of as many runs as there are; the pointers behind those are not used and may be null.
// Run n is blocks [at[n], at[n + 1]) of `packed`; runs that are not there are empty, so `at` repeats its last value.
// Grid: one work-group of any size for each block of the runs, so at[RUNS] - at[0] of them.
// Needs: OpenCL C 1.2; 784 bytes of arguments, of the 1,024 that every full device takes.   Moves: each byte read once and written once.   Oracle: RunsTest.java
#define RUNS 64
#define BLOCK 256 // of uint4

struct runs {
    uint at[RUNS + 1];
};

#define EIGHT(each, n) each(n##0) each(n##1) each(n##2) each(n##3) each(n##4) each(n##5) each(n##6) each(n##7)
#define EVERY(each) EIGHT(each, 0) EIGHT(each, 01) EIGHT(each, 02) EIGHT(each, 03) EIGHT(each, 04) EIGHT(each, 05) EIGHT(each, 06) EIGHT(each, 07) // in octal
#define IN(n) , global const uint4 *place##n
#define OUT(n) , global uint4 *place##n
#define CASE(n) case n: place = place##n; break;

uint run_of(const struct runs *runs, const uint block) {
    uint run = 0;
    while (runs->at[run + 1] <= block) {
        run++;
    }
    return run;
}

kernel void scatter_runs(global const uint4 *packed, const struct runs runs EVERY(OUT)) {
    const uint block = runs.at[0] + get_group_id(0);
    const uint run = run_of(&runs, block);
    global uint4 *place = 0;
    switch (run) { EVERY(CASE) }
    packed += (size_t)block * BLOCK;
    place += (size_t)(block - runs.at[run]) * BLOCK;
    for (uint i = get_local_id(0); i < BLOCK; i += get_local_size(0)) {
        place[i] = packed[i];
    }
}

kernel void gather_runs(global uint4 *packed, const struct runs runs EVERY(IN)) {
    const uint block = runs.at[0] + get_group_id(0);
    const uint run = run_of(&runs, block);
    global const uint4 *place = 0;
    switch (run) { EVERY(CASE) }
    packed += (size_t)block * BLOCK;
    place += (size_t)(block - runs.at[run]) * BLOCK;
    for (uint i = get_local_id(0); i < BLOCK; i += get_local_size(0)) {
        packed[i] = place[i];
    }
}
