// failure.c - see failure.h.
#include <errno.h>

#include "cl.h"
#include "dma.h"
#include "failure.h"
#include "pager.h"

int fail(struct hmm_failure *failure, enum hmm_reason reason, uint64_t page, uint64_t word, int64_t status, enum hmm_call call, unsigned device) {
  if (failure) *failure = (struct hmm_failure){reason, (int64_t)page, (int64_t)word, status, call, device};
  return reason == HMM_REFUSED ? -EACCES : reason == HMM_TOO_MANY_PINS ? -EOVERFLOW : -EIO;
}

// What drivers say of what is too much for a device, and of everything once it has gone.
int fail_cl(struct hmm_pager *p, struct hmm_failure *failure, uint64_t page, uint64_t word, int64_t status, enum hmm_call call, unsigned device) {
  bool gone = status == OUT_OF_RESOURCES && dma_is_gone(p, &p->devices[device]);
  return fail(failure, HMM_OPENCL, page, word, gone ? DEVICE_NOT_AVAILABLE : status, call, device);
}

int fail_errno(struct hmm_failure *failure, uint64_t page, int negative_errno, enum hmm_call call) {
  fail(failure, HMM_SYSTEM, page, 0, -negative_errno, call, 0);
  return negative_errno;
}
