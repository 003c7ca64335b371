// condition.h - what threads wait for under a lock. Zeros are one for which nobody waits.
#ifndef HMM_CONDITION_H
#define HMM_CONDITION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

// The time that is meant where somebody waits until one.
static inline uint64_t nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

struct condition { // see condition.c
  _Atomic uint32_t signals; // that there were
  unsigned waiters;         // under the lock
};

// All of these with the lock held under which those who wait look, which is open while they sleep. Returns after a signal, or for no reason, so the caller looks again; or at a time (0: never), and then returns true.
bool condition_wait(struct condition *c, pthread_mutex_t *lock, uint64_t until);
void condition_signal(struct condition *c);    // wakes one at least
void condition_broadcast(struct condition *c); // wakes all

#endif
