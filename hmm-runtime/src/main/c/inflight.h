// inflight.h - what the gate needs of the table of launches (inflight.c); what everybody may ask of it is in internal.h.
//
// `launch_lock` guards the table and is a leaf; no call of OpenCL is made while it is held.
#ifndef HMM_INFLIGHT_H
#define HMM_INFLIGHT_H

#include "internal.h"

struct launch *publish(struct hmm_pager *p, const struct hmm_launch *request); // waits for a place; null without memory
bool is_undecided(struct hmm_pager *p, const struct launch *l, uint64_t number); // of the caller's launch, whose place may be another's by now: whether nothing of it has run
void withdraw(struct hmm_pager *p, struct launch *l);

// Kernels of several devices that use host pages where they are take turns on what one of them writes, in the order in which they were published: no word says whose turn it is. Waits for
// those before this one. 0, or 1 if it is to be withdrawn and made anew: one before it insists and may want its pages, or takes longer than a touch may wait.
int await_those_before(struct hmm_pager *p, const struct launch *l);

// One kernel that faults at a time: what it does wrong is known to be its own. 0, or -ETIMEDOUT if the one before takes longer than a touch may wait.
int await_turn(struct hmm_pager *p, struct launch *l);

// The kernel is the driver's. `event` is a reference of the table's, or null if there was none to be had: then the caller waits.
void attach(struct hmm_pager *p, struct launch *l, void *event);

// Notes the end of a kernel, if nobody has: a callback and all who look at its event may come at once.
void end_launch(struct hmm_pager *p, struct launch *l, uint64_t number, int status);
bool ask_for_a_call(struct hmm_pager *p, void *event, uint64_t number); // when it has ended; false if the driver refuses

// How a command ended, or how it is getting on if that is above CL_COMPLETE; false if the driver does not say.
bool ask(struct hmm_pager *p, void *event, int *outcome);
// The same for a driver that will not tell us: waited for here. If the end cannot be found out, the launch stays under way: nobody gets pages that a kernel may still write.
int wait_for(struct hmm_pager *p, void *event);

#endif
