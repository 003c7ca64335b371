// condition.c - what threads wait for under a lock, by a futex.
//
// It is not a pthread_cond_t, because pthread_cond_signal of glibc 2.25 to 2.40 may wake nobody where several threads wait (its bug 25847): a touch would wait for ever for a crew that sleeps.
//
// Whoever signals has the lock. So a thread that has opened it to wait either sleeps, and can be woken, or does not sleep yet, and will find another number than the one it has seen; and who begins to wait later comes
// after the waking, so he cannot take it from those. (To be missed, 2^32 signals would have to come between the two system calls of one thread.)
//
// A signal is right only where each of those who wait can do what is to be done then, and does not begin to wait again before it is done; else it is a broadcast.
#define _GNU_SOURCE
#include "condition.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

bool condition_wait(struct condition *c, pthread_mutex_t *lock, uint64_t until) {
  const struct timespec at = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
  uint32_t seen = atomic_load(&c->signals);
  c->waiters++;
  pthread_mutex_unlock(lock);
  long slept = syscall(SYS_futex, &c->signals, FUTEX_WAIT_BITSET_PRIVATE, seen, until ? &at : NULL, NULL, FUTEX_BITSET_MATCH_ANY);
  int error = slept ? errno : 0;
  if (error && error != EAGAIN && error != EINTR && error != ETIMEDOUT) abort(); // the C library does so, too: no lock works then
  pthread_mutex_lock(lock);
  c->waiters--;
  return error == ETIMEDOUT;
}

static void wake(struct condition *c, int most) {
  if (!c->waiters) return;
  atomic_fetch_add(&c->signals, 1);
  if (syscall(SYS_futex, &c->signals, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0) < 0) abort();
}

void condition_signal(struct condition *c) { wake(c, 1); }
void condition_broadcast(struct condition *c) { wake(c, INT_MAX); }
