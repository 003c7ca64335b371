// claim.c - see claim.h.
#include <assert.h>

#include "claim.h"
#include "crew.h"
#include "device_fault.h"
#include "pager.h"

bool claim_page(struct hmm_pager *p, uint64_t page, uint64_t *w, bool exclusive, struct claim *claim) {
  uint64_t claimed = word_claim(*w, exclusive);
  if (!change_word(p, page, w, claimed)) return false;
  *claim = (struct claim){page, claimed, *w, false};
  return true;
}

// False if somebody has it.
static bool try_claim(struct hmm_pager *p, uint64_t page, struct claim *claim) {
  uint64_t w = load_word(p, page);
  while (word_state(w) != TO_HOST) {
    if (claim_page(p, page, &w, true, claim)) return true;
  }
  return false;
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

// The word of a page that the caller has claimed.
static uint64_t claimed_word(const struct hmm_pager *p, const struct claim *c) {
  uint64_t w = load_word(p, c->page);
  assert(word_state(w) == TO_HOST);
  return w;
}

static uint64_t ended(struct hmm_pager *p, const struct claim *c, uint64_t to) {
  if (word_state(to) == POISONED) {
    count(p, HMM_POISONED, 1);
    forget_dead(p, c->page, c->page + 1); // as where a kernel fails
  }
  return to;
}

uint64_t settle(struct hmm_pager *p, const struct claim *c, becoming *next, enum pin pin) {
  uint64_t w = claimed_word(p, c), to;
  do {
    to = next(w, c->before);
    if (pin != NO_PIN) to = word_pin(to, pin == WRITE_PIN);
  } while (!change_word(p, c->page, &w, to));
  return ended(p, c, to);
}

uint64_t settle_to(struct hmm_pager *p, const struct claim *c, uint64_t place) {
  uint64_t w = claimed_word(p, c), to;
  do to = is_doomed(w, c->before) ? poisoned(w, c->before) : ((w & ~PLACE_MASK) | (place & PLACE_MASK)) + (1ULL << VERSION_SHIFT);
  while (!change_word(p, c->page, &w, to));
  return ended(p, c, to);
}

bool poison_page(struct hmm_pager *p, uint64_t page, unsigned device) {
  uint64_t w = load_word(p, page);
  while (true) {
    bool here = word_state(w) == DEVICE && word_device(w) == device;
    bool claimed = word_state(w) == TO_HOST && word_device(w) == device && !(w & DOOMED);
    if (!here && !claimed) return false; // its contents are given up, or lost already
    if (change_word(p, page, &w, here ? poisoned(w, w) : w | DOOMED)) return here;
  }
}

void unpin_page(struct hmm_pager *p, uint64_t page, bool write) {
  uint64_t w = load_word(p, page);
  while (!change_word(p, page, &w, word_unpin(w, write))) {}
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

void wait_settled(struct hmm_pager *p, uint64_t page) {
  uint64_t seen = load_word(p, page);
  if (word_state(seen) != TO_HOST) return;
  promote(p);
  atomic_fetch_add(&p->settling.waiters, 1); // before looking again: whoever settles does so before it looks for waiters
  pthread_mutex_lock(&p->settling.lock);
  while (true) {
    uint64_t w = load_word(p, page);
    if (word_state(w) != TO_HOST || !same_version(w, seen)) break;
    condition_wait(&p->settling.changed, &p->settling.lock, 0);
  }
  pthread_mutex_unlock(&p->settling.lock);
  atomic_fetch_sub(&p->settling.waiters, 1);
}

void settled(struct hmm_pager *p) {
  if (!atomic_load(&p->settling.waiters)) return;
  pthread_mutex_lock(&p->settling.lock);
  condition_broadcast(&p->settling.changed);
  pthread_mutex_unlock(&p->settling.lock);
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

void give_back(struct hmm_pager *p, const struct claim *claims, size_t n, const struct hmm_failure *failure) {
  for (size_t i = 0; i < n; i++) settle_back(p, &claims[i], failure);
  wake_claimed(p, claims, n);
}
