// A page that was kept for reading may be a copy: what is written there is lost.
#include "hmm.clh"

kernel void f(HMM_HEAP, const ulong va) {
    hmm_read_cache reads = HMM_NO_PAGE;
    *HMM_WRITE_KEPT(int, va, &reads) = 1;
    *HMM_WRITE_CACHED(int, va, &reads) = 1;
}
