// overwrite.h - see overwrite.c.
#ifndef HMM_OVERWRITE_H
#define HMM_OVERWRITE_H

struct hmm_pager;
struct hmm_launch;

// The launch is published, and until it is decided whoever has to wait for it gives its claims back. Returns a page that another launch uses, so that this one is to be withdrawn; else page_count.
uint64_t commit_overwrites(struct hmm_pager *p, struct hmm_launch *request);

// Whether a page, whose word this is, is claimed by the launch, which is to find it like that: nobody else gets it before the launch is decided.
bool claimed_to_overwrite(const struct hmm_launch *request, uint64_t page, uint64_t word);

// The kernel is in its queue, and is not decided yet: what is claimed is the device's.
void take_overwrites(struct hmm_pager *p, const struct hmm_launch *request);

// The launch does not happen, and is going to be withdrawn.
void take_back_overwrites(struct hmm_pager *p, const struct hmm_launch *request);

#endif
