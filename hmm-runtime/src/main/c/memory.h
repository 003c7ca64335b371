// memory.h - the host memory behind pages (memory.c).
#ifndef HMM_MEMORY_H
#define HMM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MADV_DONTNEED_LOCKED // since Linux 5.18
#define MADV_DONTNEED_LOCKED 24
#endif

struct hmm_pager;

// Gives host memory to the pages that may have none; 0 or -errno, -ENOSPC if there is none to give.
int give(const struct hmm_pager *p, uint64_t first, uint64_t end);
// They have it, and a claim or a pin of the caller's keeps others from taking it away.
void note_backed(struct hmm_pager *p, uint64_t first, uint64_t end);
int back(struct hmm_pager *p, uint64_t first, uint64_t end); // both, for pages that the caller has claimed
int punch(struct hmm_pager *p, uint64_t first, uint64_t end); // under claims
int map_app(struct hmm_pager *p, int protection); // the program's mapping of the file, of which no page is there yet
int unmap_pages(struct hmm_pager *p, uint64_t first, uint64_t end); // takes userfaultfd's mapping of them away: what it maps is theirs again with the next touch
int unmap_app(struct hmm_pager *p); // a touch of it is an ordinary stray one from now on
bool has_memory(const struct hmm_pager *p, uint64_t page); // at least in part

#endif
