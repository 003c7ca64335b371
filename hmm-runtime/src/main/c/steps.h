// steps.h - places where tests stop whoever comes by (steps.c); `step` is in pager.h. The lock is a leaf.
#ifndef HMM_STEPS_H
#define HMM_STEPS_H

#include "condition.h"
#include "hmm_pager.h"

struct steps {
  _Atomic int armed;
  pthread_mutex_t lock;
  struct condition changed;
  struct step {
    bool armed;
    int stopped;
  } each[HMM_STEPS];
};

void step_slow(struct hmm_pager *p, enum hmm_step step);

#endif
