// The last work-item writes behind the buffer.
#include "hmm.clh"

kernel void bad(global int *a) {
    const size_t i = get_global_id(0);
    a[i + 1 < get_global_size(0) ? i : i + 1] = 1;
}
