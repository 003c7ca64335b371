// forbid.h - keeping the host out of what Java has claimed for a device (forbid.c).
#ifndef HMM_FORBID_H
#define HMM_FORBID_H

#include "block.h"
#include "condition.h"

struct hmm_pager;

struct forbiddings { // under way
  pthread_mutex_t lock; // a leaf
  struct condition changed;
  struct forbidding *first;
  _Atomic int count;
};

void await_forbidden(struct hmm_pager *p, struct page_range pages); // by whoever has claimed them, before he maps them for a pin

#endif
