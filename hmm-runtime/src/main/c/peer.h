// peer.h - from one device to another, without the host (peer.c).
#ifndef HMM_PEER_H
#define HMM_PEER_H

#include <stdint.h>

struct hmm_pager;
struct hmm_failure;

// Copies pages that are contiguous on both sides and claimed, straight from one device's frames to another's. 0, -EIO, or -ENOTSUP if that is only possible through the host's pages.
int bring_across(struct hmm_pager *p, unsigned from, unsigned to, uint64_t page, uint64_t pages, uint64_t before, struct hmm_failure *failure);

#endif
