// HMM_WRITE gives a writable pointer, which a heap that was declared read-only must not give.
#include "hmm.clh"

kernel void f(HMM_HEAP_CONST, const ulong va) {
    global int *at = HMM_WRITE(int, va);
    if (at) {
        *at = 1;
    }
}
