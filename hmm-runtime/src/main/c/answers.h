// answers.h - how userfaultfd's trap tells an error (answers.c).
#ifndef HMM_ANSWERS_H
#define HMM_ANSWERS_H

#include <pthread.h>
#include <stdatomic.h>

#include "trap.h"

#define ANSWERS 16

struct answers {
  pthread_mutex_t lock; // a leaf, held while a page is closed; the signal handler does without
  _Atomic int count; // that stand, or are about to
  _Atomic int hearing; // signal handlers that are opening what was closed
  _Atomic uint64_t given[ANSWERS];
  unsigned turn;
  _Atomic bool all_closed;
};

void give_answer(struct hmm_pager *p, const struct fault *f, int result, uint64_t judged); // then wake the thread
bool hear_answer(struct hmm_pager *p, uint64_t page, bool write); // in the signal handler: whether the touch is an error; else it may be made again
void end_answers(struct hmm_pager *p, uint64_t first, uint64_t end);
bool answers_stand(struct hmm_pager *p);

#endif
