// peer.c - pages that go from one device to another, past the host.
//
// What only devices have is claimed TO_HOST, as everything that others must wait for, brought to the device and settled, in one call: to write it becomes that device's own, to read it is
// PEERS, what several devices have and the host has not. The host's page is not looked at: it has no mapping, needs no memory, and stays as it was.
//
//   1 claim, in order of pages, what is on other devices alone; of that, what launches use and what none uses at a time of its own
//   2 wait for the launches that conflict: whoever writes the page, or uses this device's old copy; if it is to be written, whoever uses it
//   3 copy, between frames (dma.c)
//   4 settle each claim, and wake whoever waits
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>

#include "claim.h"
#include "dma.h"
#include "failure.h"
#include "inflight.h"
#include "notice.h"
#include "pager.h"
#include "peer.h"

#define BATCH_BYTES (32ULL << 20) // who touches one of them waits until all have come

struct crossing {
  struct hmm_pager *p;
  const struct hmm_crossing *asked;
  unsigned device;
  struct hmm_moved *moved;
  struct hmm_failure *failure;
};

static bool has_copy(const struct crossing *c, uint64_t before) { return word_holders(before) >> c->device & 1; }

// Whether a page is to come that is like this.
static bool is_wanted(const struct crossing *c, uint64_t w) { return is_away(w) && (c->asked->writes ? word_holders(w) != 1u << c->device : !has_copy(c, w)); }

// Step 1: how many of the pages from `first` on are claimed. None has to wait for the claim of anybody else.
static size_t claim_run(const struct crossing *c, uint64_t first, uint64_t end, struct claim *claims) {
  size_t n = 0;
  for (uint64_t page = first; page < end; page++) {
    uint64_t w = load_word(c->p, page);
    bool wanted;
    do wanted = is_wanted(c, w) && frame_of(&c->p->devices[c->device], page) >= 0;
    while (wanted && !claim_page(c->p, page, &w, true, &claims[n]));
    if (!wanted) break;
    n++;
  }
  return n;
}

static bool used(const struct crossing *c, uint64_t first, uint64_t end) { return in_use(c->p, (struct page_range){first, end}, false, 0); }

// How many of these claims go on: as many as one launch uses, or as none does. Whoever touches one that no launch uses does not wait for a launch.
static size_t alike(const struct crossing *c, const struct claim *claims, size_t n) {
  uint64_t first = claims[0].page;
  note_ends(c->p, (struct page_range){first, first + n});
  if (!used(c, first, first + n)) return n;
  uint64_t until = used_until(c->p, first, false);
  if (until > first) return until - first < n ? (size_t)(until - first) : n;
  size_t unused = 1;
  while (n - unused > 1) { // of `n` some are used
    size_t middle = unused + (n - unused) / 2;
    if (used(c, first, first + middle)) n = middle;
    else unused = middle;
  }
  return unused;
}

// Step 2 for claims in a row; `patience` ends for all who wait behind them. 0, -EAGAIN or -ETIMEDOUT.
static int await_users(const struct crossing *c, struct page_range range, struct patience *patience) {
  int result = await_patiently(c->p, range, !c->asked->writes, -1, 0, patience);
  if (!result && !c->asked->writes) result = await_patiently(c->p, range, false, (int)c->device, 0, patience);
  return result;
}

static bool any_doomed(const struct crossing *c, const struct claim *claims, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (is_doomed(load_word(c->p, claims[i].page), claims[i].before)) return true;
  }
  return false;
}

// Where the claims end that one copy brings from `source`, the first of which is number i.
static size_t end_of_copy(const struct crossing *c, const struct claim *claims, size_t i, size_t n, unsigned source) {
  const struct device *from = &c->p->devices[source], *to = &c->p->devices[c->device];
  size_t j = i + 1;
  for (; j < n && !has_copy(c, claims[j].before) && word_holders(claims[j].before) >> source & 1; j++) {
    uint64_t page = claims[j].page;
    if (!dma_contiguous(from, frame_of(from, page - 1), frame_of(from, page)) || !dma_contiguous(to, frame_of(to, page - 1), frame_of(to, page))) break;
  }
  return j;
}

int bring_across(struct hmm_pager *p, unsigned from, unsigned to, uint64_t page, uint64_t pages, uint64_t before, struct hmm_failure *failure) {
  unsigned failed = to;
  int status = dma_across(p, from, to, page, pages, &failed);
  if (status == NO_WAY_ACROSS) return -ENOTSUP;
  return status ? fail_cl(p, failure, page, before, status, failed == from ? HMM_CALL_READ : HMM_CALL_WRITE, failed) : 0;
}

// Step 3.
static int copy(const struct crossing *c, const struct claim *claims, size_t n) {
  for (size_t i = 0, j; i < n; i = j) {
    j = i + 1;
    if (has_copy(c, claims[i].before)) continue;
    unsigned source = source_of(c->p, claims[i].before);
    j = end_of_copy(c, claims, i, n, source);
    int result = bring_across(c->p, source, c->device, claims[i].page, j - i, claims[i].before, c->failure);
    if (result) return result;
    c->moved->copied += j - i;
    c->moved->devices |= 1u << source;
  }
  return 0;
}

// Step 4. A frame says whose bytes it holds, and when they came, before the page can be used.
static void land(const struct crossing *c, const struct claim *claims, size_t n) {
  const struct hmm_device_config *d = &c->p->devices[c->device].config;
  for (size_t i = 0; i < n; i++) {
    int32_t frame = frame_of(&c->p->devices[c->device], claims[i].page);
    extents_set(&d->region_of_frame, (uint64_t)frame, (int32_t)c->asked->region);
    atomic_store(&TABLE(int32_t, d->last_use)[frame], (int32_t)c->asked->clock);
    uint64_t w = claims[i].word;
    settle_to(c->p, &claims[i], c->asked->writes ? word_next(w, DEVICE, c->device, 0, 0) : word_peers(w, word_holders(claims[i].before) | 1u << c->device));
    if (c->asked->outcomes) ((uint8_t *)(uintptr_t)c->asked->outcomes)[claims[i].page - c->asked->first] = HMM_CROSSED;
  }
  c->moved->claimed += n;
  wake_claimed(c->p, claims, n);
}

// Claims in a row. What cannot be had now stays where it is: others want the launch to go first that uses it, or it takes longer than a touch may wait that has come behind the claims.
static int bring_run(const struct crossing *c, const struct claim *claims, size_t n) {
  struct page_range range = {claims[0].page, claims[n - 1].page + 1};
  struct patience patience = new_patience(range.first, true, 0);
  int waited = await_users(c, range, &patience);
  if (!waited && !any_doomed(c, claims, n)) {
    step(c->p, HMM_STEP_CROSSING);
    int result = copy(c, claims, n);
    if (result) give_back(c->p, claims, n, result == -ENOTSUP ? NULL : c->failure);
    else land(c, claims, n);
    return result;
  }
  give_back(c->p, claims, n, NULL); // poisoned, if its kernel has failed
  patience = new_patience(range.first, true, 0);
  if (waited == -EAGAIN) await_decided(c->p, &patience);
  else if (waited) await_users(c, range, &patience); // as long again, holding nothing
  return 0;
}

HMM_API int hmm_cross(struct hmm_pager *p, const struct hmm_crossing *asked, struct hmm_moved *moved, struct hmm_failure *failure) {
  uint64_t most = BATCH_BYTES >> p->config.page_shift ? BATCH_BYTES >> p->config.page_shift : 1;
  if (most > asked->end - asked->first) most = asked->end - asked->first;
  if (!most) return 0;
  struct claim *claims = malloc((size_t)most * sizeof *claims);
  if (!claims) return fail_errno(failure, asked->first, -ENOMEM, HMM_CALL_NONE);
  const struct crossing c = {p, asked, (unsigned)asked->device, moved, failure};
  int result = 0;
  for (uint64_t page = asked->first; page < asked->end && !result;) {
    size_t n = claim_run(&c, page, page + most < asked->end ? page + most : asked->end, claims);
    size_t kept = n ? alike(&c, claims, n) : 0;
    if (kept < n) give_back(p, claims + kept, n - kept, NULL);
    if (n) result = bring_run(&c, claims, kept);
    page += n ? kept : 1;
  }
  free(claims);
  return result;
}
