// stream.h - faults that come one behind the other (stream.c).
#ifndef HMM_STREAM_H
#define HMM_STREAM_H

#include <pthread.h>

#include "block.h"

#define STREAMS 8

struct hmm_pager;

struct stream {
  uint64_t next;      // page behind what the stream has brought so far
  uint64_t pages;     // what the last fault of it brought
  unsigned under_way; // such windows of which some pages are not here yet
  uint64_t begun;     // where the first of those begins
  uint64_t mark;      // a page of the last one that was left where it is: whoever touches it makes the stream go on; 0: none
};

struct streams { // of the host's touches
  pthread_mutex_t lock; // a leaf
  struct stream all[STREAMS];
  unsigned turn;
};

uint64_t most_wanted(const struct hmm_pager *p); // pages that one fault brings along
bool continues_a_stream(struct hmm_pager *p, uint64_t page);
// The window of up to `most` pages that the stream wants which this fault belongs to: from its page on, or, if that is a mark, behind what is there. Notes where the stream will be then. A touch of what
// is still on its way with a stream changes nothing.
struct page_range wanted(struct hmm_pager *p, uint64_t page, uint64_t most);
uint64_t leave_mark(struct hmm_pager *p, struct page_range window); // of a window that its stream has whole; 0 if it needs none
void arrived(struct hmm_pager *p, struct page_range window); // from now on a touch of the window that the stream has brought is one of pages that have gone again

#endif
