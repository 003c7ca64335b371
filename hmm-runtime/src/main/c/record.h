// record.h - records of what was served (record.c); `new_record` is in pager.h. Who serves takes no lock: that is between those who switch records on and take them.
#ifndef HMM_RECORD_H
#define HMM_RECORD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "hmm_pager.h"

struct records {
  pthread_mutex_t lock;
  _Atomic bool on;
  _Atomic int open; // begun and not ended
  _Atomic(struct ring *) ring; // stays once it is there
};

bool start_record(struct hmm_pager *p, struct hmm_record *r, enum hmm_record_kind kind, uint64_t first, bool write);
void end_record(struct hmm_pager *p, struct hmm_record *r, int result); // never waits; nothing if `r` is null
void drop_record(struct hmm_pager *p, const struct hmm_record *r); // there is nothing to tell

#endif
