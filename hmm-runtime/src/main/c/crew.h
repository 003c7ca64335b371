// crew.h - the threads that serve faults (crew.c), and how threads of ours begin.
#ifndef HMM_CREW_H
#define HMM_CREW_H

#include <signal.h>

#include "condition.h"
#include "trap.h"

#define AHEADS 64

struct ahead { // pages to bring along, by whoever of the crew has nothing else to do
  uint64_t first, end;
  uint64_t word; // what they looked like
  bool write, mapped;
};

struct crew {
  pthread_mutex_t lock; // a leaf, but that a thread is started under it
  struct condition changed;
  bool led;
  _Atomic bool stopping; // set under the lock
  int count, idle;
  struct ahead aheads[AHEADS];
  unsigned ahead_first, ahead_count; // a ring
};

int start_crew(struct hmm_pager *p);
void dismiss(struct hmm_pager *p); // and waits until they have gone
void promote(struct hmm_pager *p); // lets somebody else read faults, and the rest of those read already; called before whatever may take long
void share_ahead(struct hmm_pager *p, struct ahead a);
void work_ahead(struct hmm_pager *p); // on what is shared, until nothing is left
void rouse(struct hmm_pager *p); // those who are idle look again what they wait for
int set_rest(const struct fault *faults, int n); // what this thread has read and not begun to serve; returns how much was left of what was set before

// Starts a thread that takes none of the signals that are sent to the process: those are for the program's threads.
// What it makes itself (SIGSEGV and the like) must be told.
sigset_t sent_by_others(void); // all signals but those
int start_own_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*main)(void *), void *arg);

#endif
