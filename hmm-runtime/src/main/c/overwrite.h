// overwrite.h - see overwrite.c.
#ifndef HMM_OVERWRITE_H
#define HMM_OVERWRITE_H

struct hmm_pager;
struct hmm_launch;

// The launch is published, and until it is decided whoever has to wait for it gives its claims back.
void commit_overwrites(struct hmm_pager *p, struct hmm_launch *request);

// The launch does not happen, and is going to be withdrawn.
void take_back_overwrites(struct hmm_pager *p, const struct hmm_launch *request);

#endif
