// steps.c - see steps.h.
#define _GNU_SOURCE
#include <errno.h>

#include "crew.h"
#include "pager.h"
#include "steps.h"

void step_slow(struct hmm_pager *p, enum hmm_step s) {
  bool armed;
  pthread_mutex_lock(&p->steps.lock);
  armed = p->steps.each[s].armed;
  pthread_mutex_unlock(&p->steps.lock);
  if (!armed) return;
  promote(p);
  pthread_mutex_lock(&p->steps.lock);
  p->steps.each[s].stopped++;
  condition_broadcast(&p->steps.changed);
  while (p->steps.each[s].armed) condition_wait(&p->steps.changed, &p->steps.lock, 0);
  p->steps.each[s].stopped--;
  pthread_mutex_unlock(&p->steps.lock);
}

HMM_API int hmm_step_arm(struct hmm_pager *p, uint64_t s, uint64_t armed) {
  if (s >= HMM_STEPS) return -EINVAL;
  pthread_mutex_lock(&p->steps.lock);
  if (p->steps.each[s].armed != (bool)armed) atomic_fetch_add(&p->steps.armed, armed ? 1 : -1);
  p->steps.each[s].armed = armed;
  condition_broadcast(&p->steps.changed);
  pthread_mutex_unlock(&p->steps.lock);
  return 0;
}

HMM_API int hmm_step_await(struct hmm_pager *p, uint64_t s, uint64_t millis) {
  if (s >= HMM_STEPS) return -EINVAL;
  uint64_t until = nanos() + millis * 1000000;
  pthread_mutex_lock(&p->steps.lock);
  bool over = false;
  while (!p->steps.each[s].stopped && !over) over = condition_wait(&p->steps.changed, &p->steps.lock, until);
  int stopped = p->steps.each[s].stopped > 0;
  pthread_mutex_unlock(&p->steps.lock);
  return stopped;
}
