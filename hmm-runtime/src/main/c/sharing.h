// sharing.h - one copy by several threads.
#ifndef HMM_SHARING_H
#define HMM_SHARING_H

#include <stddef.h>

#include "condition.h"

#define MOST_HELPERS 3

struct hmm_pager;
struct part;

struct sharing { // see sharing.c
  pthread_mutex_t lock; // a leaf
  struct condition begun, over;
  pthread_t helpers[MOST_HELPERS];
  unsigned count; // of helpers, which are started when they are first of use
  bool stopping;
  bool owned;       // somebody's copy is shared, and he has not left
  unsigned working; // helpers that take part in it
  // The copy: parts that lie one behind the other at `from`.
  const struct part *parts;
  unsigned part_count;
  const char *from;
  size_t bytes;
  _Atomic size_t taken; // of these, that somebody copies or has copied
};

// Copies parts, one behind the other at `from`, to where they belong on the host; over when it returns.
void share_out(struct hmm_pager *p, const struct part *parts, unsigned count, const char *from);
void sharing_close(struct hmm_pager *p); // nobody copies any more

#endif
