// failure.h - what is told of a failure (failure.c).
#ifndef HMM_FAILURE_H
#define HMM_FAILURE_H

#include "hmm_pager.h"

// `failure` may be null. They return what the caller returns: -EACCES if the touch is refused, -EOVERFLOW for too many pins, the given -errno, else -EIO.
int fail(struct hmm_failure *failure, enum hmm_reason reason, uint64_t page, uint64_t word, int64_t status, enum hmm_call call, unsigned device);
int fail_cl(struct hmm_pager *p, struct hmm_failure *failure, uint64_t page, uint64_t word, int64_t status, enum hmm_call call, unsigned device);
int fail_errno(struct hmm_failure *failure, uint64_t page, int negative_errno, enum hmm_call call);

#endif
