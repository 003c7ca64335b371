// device_fault.h - what the rest asks of devices whose kernels fault; of all of them, if none is named. What they have among themselves is in faulting.h.
#ifndef HMM_DEVICE_FAULT_H
#define HMM_DEVICE_FAULT_H

#include <pthread.h>
#include <stdatomic.h>

#include "trap.h"

struct hmm_violation;
struct launch;

struct faulting_devices {
  _Atomic(struct faulting *) first; // of a list that only grows; or null
  pthread_mutex_t lock;             // a leaf, over what is known of their ranges
  // A fault may have been answered with others, and be served when its thread has long gone on: then it says nothing of that thread, nor of the kernel that runs. So it has a time, that before it was read.
  _Atomic uint64_t clock;
};

void serve_device(struct hmm_pager *p, const struct fault *faults, int n);
int take_home(struct hmm_pager *p, uint64_t first, uint64_t end); // what they have of a range, for the price of waiting for claims
// Under claims of pages: from then on that device, whose own they are, does not write to them (0 or -errno); and then, that these devices (bit d for device d) have them no more.
int withhold(struct hmm_pager *p, unsigned device, uint64_t first, uint64_t end);
void take_from_devices(struct hmm_pager *p, unsigned devices, uint64_t first, uint64_t end);
int restrict_device(struct hmm_pager *p, uint64_t first, uint64_t end, uint64_t access); // after the words: as `set_access` of a trap
void forget_dead(struct hmm_pager *p, uint64_t first, uint64_t end); // what they have of pages that have no region any more
void device_begins(struct hmm_pager *p, const struct launch *l);
void device_ends(struct hmm_pager *p, const struct launch *l); // takes no lock but its own
bool violation_of(struct hmm_pager *p, uint64_t launch, struct hmm_violation *violation);
uint64_t next_wait_over(struct hmm_pager *p); // when a kernel has waited for a view as long as it may; 0: none waits
void end_waits(struct hmm_pager *p); // of those
void wake_devices(struct hmm_pager *p, uint64_t first, uint64_t end); // their threads that sleep there
void close_faulting(struct hmm_pager *p);

#endif
