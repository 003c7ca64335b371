// fault.h - serving faults of the host (fault.c).
#ifndef HMM_FAULT_H
#define HMM_FAULT_H

#include "crew.h"
#include "trap.h"

void serve(struct hmm_pager *p, struct fault *faults, int n);
bool serve_here(struct hmm_pager *p, struct touch touch); // in the thread that touches; false if somebody would have to be waited for, or the crew knows better: nothing has changed then
void bring_ahead(struct hmm_pager *p, const struct ahead *a);

#endif
