// notice.h - tells of touches that wait long or are refused (notice.c), and how long they may wait.
#ifndef HMM_NOTICE_H
#define HMM_NOTICE_H

#include "condition.h"
#include "hmm_pager.h"

#define NOTICES 16

struct notices {
  pthread_mutex_t lock; // a leaf
  struct condition changed;
  struct hmm_notice ring[NOTICES];
  unsigned first, count;
  unsigned waits_told; // of which the end is still to be told
  bool ended;
};

// How long somebody waits for launches who holds claims meanwhile, so that others wait for him. It is counted from the first wait on: most need none, and a look at the clock costs as much as a claim.
struct patience {
  uint64_t deadline;        // nanoseconds of CLOCK_MONOTONIC; 0: for ever, or no wait yet
  struct hmm_notice notice; // who waits; nothing is told of `thread` 0
  bool told;
};
struct patience new_patience(uint64_t page, bool write, uint32_t thread);
void begin_to_wait(const struct hmm_pager *p, struct patience *patience); // once
void tell(struct hmm_pager *p, struct patience *patience, enum hmm_notice_kind kind);
void tell_refused(struct hmm_pager *p, struct patience *patience, const struct hmm_failure *failure);

#endif
