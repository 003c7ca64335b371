// claim.c - see claim.h.
#define _GNU_SOURCE
#include "claim.h"

#include <errno.h>

int fail(struct hmm_failure *failure, enum hmm_reason reason, uint64_t page, uint64_t word, int64_t status,
         enum hmm_call call, unsigned device) {
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

// False if somebody has it.
static bool try_claim(struct hmm_pager *p, uint64_t page, struct claim *claim) {
  uint64_t w = load_word(p, page), next;
  do {
    if (word_state(w) == TO_HOST) return false;
    next = word_claim(w, true);
  } while (!change_word(p, page, &w, next));
  *claim = (struct claim){page, next, w, false};
  return true;
}

size_t claim_stretch(struct hmm_pager *p, uint64_t first, uint64_t end, struct claim *claims) {
  size_t n = 1;
  while (!try_claim(p, first, claims)) wait_settled(p, first); // holding nothing
  while (first + n < end && n < CLAIMS_OF_A_FAULT && try_claim(p, first + n, &claims[n])) n++;
  return n;
}

uint64_t poisoned(uint64_t w, uint64_t before) {
  (void)before;
  return word_next(w, POISONED, 0, 0, 0);
}

uint64_t restored(uint64_t w, uint64_t before) {
  if (is_doomed(w, before)) return poisoned(w, before);
  if (word_state(before) == TO_DEVICE) return word_shared(w, word_sharers(before)); // that claim is lost
  return word_next(w, word_state(before), word_device(before), word_sharers(before), before & MARKED_READ);
}

uint64_t settle(struct hmm_pager *p, const struct claim *c, becoming *next, enum pin pin) {
  uint64_t w = load_word(p, c->page);
  uint64_t to;
  do {
    to = next(w, c->before);
    if (pin != NO_PIN) to = word_pin(to, pin == WRITE_PIN);
  } while (!change_word(p, c->page, &w, to));
  if (word_state(to) == POISONED) {
    count(p, HMM_POISONED, 1);
    forget_dead(p, c->page, c->page + 1); // as where a kernel fails
  }
  return to;
}

unsigned source_of(const struct hmm_pager *p, uint64_t before) {
  unsigned holders = word_holders(before), first = (unsigned)__builtin_ctz(holders);
  for (unsigned d = first; holders >> d; d++) {
    if (holders >> d & 1 && !atomic_load(&p->devices[d].lost)) return d;
  }
  return first;
}

// The device is gone for good; the same statuses as ClStatus.java has.
static bool is_lost(int64_t status) { return status == -2 || status == -34 || status == -36 || status == -1121 || status == -9999; }

uint64_t left_after(uint64_t before, const struct hmm_failure *failure) {
  if (failure->reason != HMM_OPENCL || !is_away(before)) return before;
  unsigned others = word_holders(before) & ~(1u << failure->device);
  return others && others != word_holders(before) ? word_peers(before, others) : before;
}

// Of several devices that have a page none writes to it: what kernels lose that fail meanwhile is not this.
static uint64_t left_with_others(uint64_t w, uint64_t before) { return word_next(w, word_state(before), word_device(before), word_sharers(before), 0); }

uint64_t settle_back(struct hmm_pager *p, const struct claim *c, const struct hmm_failure *failure) {
  if (!failure || failure->reason != HMM_OPENCL) return settle(p, c, restored, NO_PIN);
  struct claim left = *c;
  left.before = left_after(c->before, failure);
  if (left.before != c->before) return settle(p, &left, left_with_others, NO_PIN);
  bool only_there = is_away(c->before) && word_holders(c->before) == 1u << failure->device;
  return settle(p, c, only_there && is_lost(failure->status) ? poisoned : restored, NO_PIN);
}

void wake_claimed(struct hmm_pager *p, const struct claim *claims, size_t n) {
  settled(p);
  for (size_t i = 0; i < n;) {
    size_t j = i + 1;
    while (j < n && claims[j].page == claims[j - 1].page + 1) j++;
    p->trap->wake(p, claims[i].page, claims[j - 1].page + 1);
    i = j;
  }
}
