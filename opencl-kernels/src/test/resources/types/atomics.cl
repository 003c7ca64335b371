// atomics.cl - atomics through pointers that HMM_WRITE gave. For PagedTypesTest, which says what OBJECT is, and whether it has 64 bits.
#include "hmm.clh"

#ifndef OBJECT
#define OBJECT uint
#endif
#ifdef WITH_64_BITS
#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
#ifdef WITH_MORE
#pragma OPENCL EXTENSION cl_khr_int64_extended_atomics : enable
#endif
#define DO(name) atom_##name
#else
#define WITH_MORE
#define DO(name) atomic_##name
#endif

#define CELLS 12

// Form (b): cells[op * gap + values[i] % spread] is what each of the operations makes of it, over all i. One work-item for each value, any local size.
kernel void update(HMM_HEAP, const ulong values, const ulong cells, const ulong gap, const uint spread, const ulong count) {
    HMM_BEGIN;
    const size_t i = get_global_id(0);
    if (i < count) {
        global const OBJECT *object = HMM_READ(OBJECT, values + i * sizeof(OBJECT));
        if (!object) {
            return;
        }
        const OBJECT value = *object;
        volatile global OBJECT *cell[CELLS];
        bool missing = false;
        for (uint op = 0; op < CELLS; op++) {
            cell[op] = HMM_WRITE(OBJECT, cells + op * gap + ((uint)value & 0xFFFFu) % spread * sizeof(OBJECT));
            missing |= !cell[op];
        }
        if (missing) {
            return;
        }
        DO(add)(cell[0], value);
        DO(sub)(cell[1], value);
        DO(inc)(cell[2]);
        DO(dec)(cell[3]);
        for (OBJECT before = 0, old; (old = DO(cmpxchg)(cell[4], before, before * 3 + 1)) != before; before = old) {
        }
        DO(add)(cell[5], DO(xchg)(cell[6], value));         // what was there goes on, the last one stays
#ifdef WITH_MORE
        DO(min)(cell[7], value);
        DO(max)(cell[8], value);
        DO(and)(cell[9], value | 7);
        DO(or)(cell[10], value & 0xFF);
        DO(xor)(cell[11], value);
#endif
    }
    HMM_END;
}
