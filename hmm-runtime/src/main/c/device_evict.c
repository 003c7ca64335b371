// device_evict.c - what leaves a device whose kernels fault (faulting.h): to make room, or since somebody wants it.
//
// A page goes under a claim of its own: the device does not write to it any more, its contents go home if only the device had them, its memory is taken away, and the claim is settled. Several
// go together, those that lie side by side in one call for each step: each time that a mapping goes or becomes weaker, the processors that run the kernel must be told. Nobody here
// waits for a claim while he holds one: what somebody else has claimed stays.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "device_fault.h"
#include "faulting.h"
#include "memory.h"
#include "pager.h"

void settle_there(struct faulting *f, const struct claim *claims, size_t n, becoming_there *next) {
  for (size_t i = 0; i < n; i++) settle_to(f->p, &claims[i], next(claims[i].word, claims[i].before, f->device));
  wake_claimed(f->p, claims, n);
}

// After its contents were brought home if only the device had them.
uint64_t left_device(uint64_t w, uint64_t before, unsigned device) {
  unsigned others = word_holders(before) & ~(1u << device);
  return word_state(before) == PEERS ? word_peers(w, others) : word_shared(w, others);
}

static uint64_t stays_there(uint64_t w, uint64_t before, unsigned device) {
  (void)device;
  return restored(w, before);
}

static int bring_home(struct faulting *f, uint64_t first, uint64_t end) {
  int result = protect_there(f, first, end); // nobody writes to them any more
  if (!result) result = back(f->p, first, end);
  if (!result) memcpy(alias_of(f->p, first), contents(f, first), (size_t)((end - first) << f->p->config.page_shift));
  return result;
}

static bool only_there(const struct claim *c) { return word_state(c->before) == DEVICE; }

// Where the claims end that lie side by side with number i and are of its kind.
static size_t run_of(const struct claim *claims, size_t i, size_t n, bool of_kind) {
  size_t j = i + 1;
  while (j < n && claims[j].page == claims[j - 1].page + 1 && (!of_kind || only_there(&claims[j]) == only_there(&claims[i]))) j++;
  return j;
}

int evict_claimed(struct faulting *f, struct claim *claims, size_t n) {
  int result = 0;
  for (size_t i = 0, j; i < n; i = j) {
    j = run_of(claims, i, n, true);
    uint64_t first = claims[i].page;
    int failed = only_there(&claims[i]) ? bring_home(f, first, first + (j - i)) : 0;
    if (failed && j > i + 1) { // alone: a neighbour may have been at fault
      failed = bring_home(f, first, first + 1);
      j = i + 1;
    }
    for (size_t k = i; k < j; k++) claims[k].taken = !failed;
    if (!result) result = failed;
  }
  for (size_t i = 0, j; i < n; i = j) {
    j = run_of(claims, i, n, false);
    size_t taken = i;
    while (taken < j && claims[taken].taken) taken++;
    if (taken > i) unmap_there(f, claims[i].page, claims[taken - 1].page + 1);
    if (taken < j) j = taken + 1; // one that stays
  }
  for (size_t i = 0, j; i < n; i = j) {
    for (j = i + 1; j < n && claims[j].taken == claims[i].taken;) j++;
    settle_there(f, claims + i, j - i, claims[i].taken ? left_device : stays_there);
    if (!claims[i].taken) continue;
    uint64_t home = 0;
    for (size_t k = i; k < j; k++) home += only_there(&claims[k]);
    count(f->p, HMM_DEVICE_EVICTED, j - i);
    count(f->p, HMM_DEVICE_WRITTEN_BACK, home);
  }
  return result;
}

// ---- making room

enum chosen { GONE, CLAIMED, STAYS };

// What becomes of a page that has been chosen to go.
static enum chosen claim_victim(struct faulting *f, uint64_t victim, struct claim *c) {
  while (!is_gone(f, victim)) {
    uint64_t w = load_word(f->p, victim);
    if (word_state(w) == TO_HOST) return STAYS;
    if (!device_has(f, w)) continue; // it has just gone
    if (claim_page(f->p, victim, &w, true, c)) return CLAIMED;
  }
  return GONE;
}

static int in_order(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

// How many places are the caller's then; `none` if there was nobody who may go for this page.
static uint64_t evict_oldest(struct faulting *f, uint64_t page, bool *none) {
  uint64_t victims[EVICTED_PAGES], places = 0;
  struct claim claims[EVICTED_PAGES];
  size_t n = choose_victims(f, page, victims, evicted_at_once(f, page)), claimed = 0;
  *none = !n;
  qsort(victims, n, sizeof *victims, in_order);
  for (size_t i = 0; i < n; i++) {
    enum chosen chosen = claim_victim(f, victims[i], &claims[claimed]);
    if (chosen == CLAIMED) claimed++;
    else if (chosen == GONE) places++;
    else keep_victim(f, victims[i]);
  }
  evict_claimed(f, claims, claimed);
  for (size_t i = 0; i < claimed; i++) {
    if (claims[i].taken) places++;
    else keep_victim(f, claims[i].page);
  }
  return places;
}

uint64_t make_place(struct faulting *f, uint64_t page) {
  bool none = false;
  uint64_t places = 0;
  for (uint64_t tries = 0; tries <= f->budget && !none; tries++) {
    if (quota_left(f, page)) {
      if (!places) places = take_places(f, 1);
      if (places) return places;
    }
    uint64_t more = evict_oldest(f, page, &none);
    if (!more) continue;
    give_places_back(f, more - !places);
    places = 1;
  }
  give_places_back(f, places);
  return 0;
}

void evict_ahead(struct faulting *f, uint64_t page) {
  bool none;
  give_places_back(f, evict_oldest(f, page, &none));
}

// ---- since somebody wants it

static int take_from(struct faulting *f, uint64_t first, uint64_t end) {
  struct claim claims[EVICTED_PAGES];
  int result = 0;
  for (uint64_t page = first; page < end && !result;) {
    size_t n = 0;
    bool busy = false;
    for (; page < end && n < EVICTED_PAGES && !busy; page += !busy) {
      uint64_t w = load_word(f->p, page);
      while (device_has(f, w) && word_state(w) != TO_HOST) {
        if (!claim_page(f->p, page, &w, true, &claims[n])) continue;
        n++;
        break;
      }
      busy = word_state(w) == TO_HOST;
    }
    result = evict_claimed(f, claims, n);
    if (busy) wait_settled(f->p, page); // holding nothing
  }
  return result;
}

int take_home(struct hmm_pager *p, uint64_t first, uint64_t end) {
  int result = 0;
  for (struct faulting *f = p->faulting.first; f && !result; f = f->next) result = take_from(f, first, end);
  return result;
}

HMM_API int hmm_set_quota(struct hmm_pager *p, uint64_t device, uint64_t first, uint64_t end, uint64_t most) {
  struct faulting *f = faulting_of(p, device);
  if (!f || first >= end || end > p->config.page_count || most < hmm_least_budget(f->holder_count)) return -EINVAL;
  int result = put_quota(f, first, end, most);
  for (bool none = result; !none && over_quota(f, first);) {
    uint64_t places = evict_oldest(f, first, &none);
    give_places_back(f, places);
    if (!places) break; // they cannot go home now, for want of memory say: with the next that comes
  }
  return result;
}

HMM_API int hmm_take_home(struct hmm_pager *p, uint64_t device, uint64_t first, uint64_t end) {
  struct faulting *f = faulting_of(p, device);
  return f ? take_from(f, first, end) : -EINVAL;
}

int withhold(struct hmm_pager *p, unsigned device, uint64_t first, uint64_t end) {
  struct faulting *f = p->devices[device].faulting;
  return f ? protect_there(f, first, end) : 0;
}

void take_from_devices(struct hmm_pager *p, unsigned devices, uint64_t first, uint64_t end) {
  for (struct faulting *f = p->faulting.first; f; f = f->next) {
    if (devices >> f->device & 1) unmap_there(f, first, end);
  }
}

int restrict_device(struct hmm_pager *p, uint64_t first, uint64_t end, uint64_t access) {
  for (struct faulting *f = p->faulting.first; f; f = f->next) drop_strays(f, first, end);
  int result = access == 0 ? take_home(p, first, end) : 0;
  for (struct faulting *f = p->faulting.first; f && access == 1 && !result; f = f->next) result = protect_there(f, first, end);
  return result;
}

void forget_dead(struct hmm_pager *p, uint64_t first, uint64_t end) {
  for (struct faulting *f = p->faulting.first; f; f = f->next) drop_dead(f, first, end);
}
