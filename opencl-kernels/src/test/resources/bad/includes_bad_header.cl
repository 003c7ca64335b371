#include "bad_header.clh"
kernel void f(global int *out) { *out = helper(1); }
