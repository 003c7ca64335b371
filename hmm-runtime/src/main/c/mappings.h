// mappings.h - the protection of every page of a range, in fewer mappings than the process may have (mappings.c).
//
// One lock for all ranges of the process, a leaf, held while a mapping changes.
#ifndef HMM_MAPPINGS_H
#define HMM_MAPPINGS_H

#include <stdbool.h>
#include <stdint.h>

struct hmm_pager;

struct mappings { // of a range of pages
  char *at; // page p begins at at + (p << shift)
  uint64_t count;
  unsigned shift;
  bool (*is_kept)(const void *of, uint64_t page); // not to be closed for want of mappings
  const void *of;
  uint8_t *access; // by page: what the kernel allows
  uint64_t hand;   // where to go on closing
  struct mappings *next; // of all that there are
};

enum { CLOSED, READABLE, WRITABLE };
int begin_mappings(struct mappings *m, char *at, uint64_t count, unsigned shift, bool (*is_kept)(const void *of, uint64_t page), const void *of); // all pages are closed
int open_mappings(struct hmm_pager *p); // those of `app`, which is mapped like that
void end_mappings(struct mappings *m);
int set_mapping(struct mappings *m, uint64_t first, uint64_t end, uint8_t access);
int lower_mapping(struct mappings *m, uint64_t first, uint64_t end); // what is writable becomes readable
void shut_mapping(struct mappings *m, uint64_t first, uint64_t end); // closes it, if need be with all others of `m`
bool is_mapped(const struct mappings *m, uint64_t page, uint8_t access); // at least like that
int mappings_for_pins(struct hmm_pager *p); // 0, or -ENOMEM if pinned pages have their share already
uint64_t limit_mappings(uint64_t most); // for tests; returns what it was

#endif
