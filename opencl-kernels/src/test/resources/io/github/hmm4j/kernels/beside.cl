#include "beside.clh"
#include "hmm.clh"
