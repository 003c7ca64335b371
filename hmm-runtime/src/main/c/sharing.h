// sharing.h - one copy by several threads.
#ifndef HMM_SHARING_H
#define HMM_SHARING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_HELPERS 15

struct hmm_pager;
struct part;

struct sharing { // see sharing.c
  pthread_mutex_t lock; // a leaf
  pthread_cond_t begun, over;
  pthread_t helpers[MOST_HELPERS];
  unsigned count;   // of helpers, which are started when they are first of use
  bool open;        // whether there is a copy that helpers may join
  bool stopping;
  uint64_t number;  // of copies that there were
  unsigned working; // helpers that have joined
  // The copy: parts that lie one behind the other at `from`.
  const struct part *parts;
  unsigned part_count;
  const char *from;
  size_t bytes;
  _Atomic size_t taken; // of these, that somebody copies or has copied
};

void sharing_open(struct hmm_pager *p);
void sharing_close(struct hmm_pager *p);
// Copies parts, one behind the other at `from`, to where they belong on the host; over when it returns.
void share_out(struct hmm_pager *p, const struct part *parts, unsigned count, const char *from);

#endif
