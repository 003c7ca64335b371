// requests.h - touches that a signal handler hands to the crew (requests.c). Threads of the host wait in a list without a lock; those of kernels are parked under one, a leaf.
#ifndef HMM_REQUESTS_H
#define HMM_REQUESTS_H

#include "trap.h"

int open_requests(struct hmm_pager *p);
void close_requests(struct hmm_pager *p);
bool ask_crew(struct hmm_pager *p, struct touch touch); // and sleeps; only calls that a signal handler may make. Whether the touch may be made again
void let_requests_go(struct hmm_pager *p); // when the crew has gone
// For a trap; as it says there.
int wait_for_requests(struct hmm_pager *p, struct fault *faults, int capacity);
void ring_for_requests(struct hmm_pager *p);
void put_request_back(struct hmm_pager *p, const struct fault *f);
void answer_request(struct hmm_pager *p, const struct fault *f, int result, uint64_t judged);
// Of a kernel, which sleeps like any other until somebody wakes those who have touched the page.
void park_request(struct hmm_pager *p, const struct fault *f);
void wake_parked(struct hmm_pager *p, const struct faulting *device, uint64_t first, uint64_t end);

#endif
