// Every work-item writes the same element.
#include "hmm.clh"

kernel void bad(global int *a) {
    const int i = (int)get_global_id(0);
    a[0] = i;
}
