// HMM_PTR gives a writable pointer, which a heap that was declared read-only must not give.
#include "hmm.clh"

kernel void f(HMM_HEAP_CONST, const ulong va) {
    *HMM_PTR(int, va) = 1;
}
