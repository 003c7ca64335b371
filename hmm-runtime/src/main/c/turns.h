// turns.h - for threads that others wait for, here and in the emulated GPU.
#ifndef HMM_TURNS_H
#define HMM_TURNS_H

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TURN_NANOS 100000ULL // the least that Linux takes

// Whoever has to be woken runs the sooner beside busy threads, the shorter the turns are that he asks for (Linux 6.12 and later; before, and where it is refused, this changes nothing).
static inline void ask_for_short_turns(void) {
  struct { // sched_attr, which libraries do not agree about
    uint32_t bytes, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {0};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) || attributes.policy != SCHED_OTHER) return;
  attributes.runtime = TURN_NANOS;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

#endif
