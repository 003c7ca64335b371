#include "own.clh"
#  include "hmm.clh"  // and some words
#include "own.clh"
/* not this one:
#include "no_such_header.clh"
*/
// #include "nor_this.clh"
kernel void f(HMM_HEAP_CONST, global int *out) { *out = own(); }
