// The error is in line 6, after a header of the library.
#include "hmm.clh"

kernel void f(HMM_HEAP_CONST, const ulong va, global int *out) {
    *out = *HMM_CONST_PTR(int, va);
    *out += no_such_name;
}
