// change.c - what is done to pages where they are: taking rights away, giving up contents or host memory, another
// frame, undoing a move. What claims pages here copies nothing from device to host.
#define _GNU_SOURCE
#include <errno.h>

#include "cl.h"
#include "claim.h"
#include "device_fault.h"
#include "dma.h"
#include "failure.h"
#include "inflight.h"
#include "memory.h"
#include "notice.h"
#include "pager.h"
#include "resident.h"

HMM_API int hmm_set_access(struct hmm_pager *p, uint64_t first, uint64_t end, uint64_t access) {
  int result = p->faulting.first ? restrict_device(p, first, end, access) : 0;
  return result ? result : p->trap->set_access(p, first, end, (int)access);
}

static uint64_t emptied(uint64_t w, uint64_t before) {
  (void)before;
  return word_next(w, EMPTY, 0, 0, 0);
}

// A kernel that works in place would write into the hole. While the pages are claimed it is waited for as long as a touch may wait behind that; then, or if a launch is not decided that may want one of
// them back, they are given up, and waited for as long again without. Returns false if that was so.
static bool await_in_place(struct hmm_pager *p, const struct claim *claims, size_t n) {
  if (!atomic_load(&p->inflight.in_place)) return true;
  struct page_range range = {claims[0].page, claims[n - 1].page + 1};
  struct patience patience = new_patience(range.first, true, 0);
  int waited = await_patiently(p, range, false, -1, 0, &patience);
  if (!waited) return true;
  give_back(p, claims, n, NULL);
  patience = new_patience(range.first, true, 0);
  if (waited == -EAGAIN) await_decided(p, &patience);
  else await_patiently(p, range, false, -1, 0, &patience);
  return false;
}

HMM_API int hmm_discard(struct hmm_pager *p, uint64_t first, uint64_t end, struct hmm_failure *failure) {
  struct claim claims[CLAIMS_OF_A_FAULT];
  if (dma_may_write(p, first, end)) {
    uint64_t w = load_word(p, first);
    return fail(failure, HMM_OPENCL, first, w, DEVICE_NOT_AVAILABLE, HMM_CALL_READ, word_device(w));
  }
  struct page_range touched = {first, first};
  for (uint64_t at = first; at < end;) {
    if (at == touched.end) { // what was never touched has nothing to give up
      touched.first = at;
      if (!next_written(p, &touched, end)) break;
      at = touched.first;
    }
    uint64_t from = at;
    size_t n = claim_stretch(p, from, touched.end, claims);
    at += n;
    if (!await_in_place(p, claims, n)) {
      at = from;
      continue;
    }
    int result = p->trap->forbid(p, from, at, false);
    enum hmm_call call = HMM_CALL_FORBID;
    if (!result) {
      call = HMM_CALL_PUNCH;
      result = punch(p, from, at);
    }
    if (!result) take_from_devices(p, UINT32_MAX, from, at);
    for (size_t i = 0; i < n; i++) settle(p, &claims[i], result ? restored : emptied, NO_PIN);
    wake_claimed(p, claims, n);
    if (result) return fail_errno(failure, from, result, call);
  }
  return 0;
}

HMM_API int64_t hmm_release_host(struct hmm_pager *p, uint64_t device, uint64_t first, uint64_t end) {
  struct claim claims[CLAIMS_OF_A_FAULT];
  int64_t released = 0;
  for (uint64_t at = first; at < end;) {
    size_t n = 0;
    for (; at < end && n < CLAIMS_OF_A_FAULT; at++) {
      uint64_t w = load_word(p, at);
      bool there = word_state(w) == DEVICE && word_device(w) == device;
      if (there && claim_page(p, at, &w, true, &claims[n])) n++;
      else if (n) break;
    }
    if (!n) continue;
    int result = punch(p, claims[0].page, claims[n - 1].page + 1);
    give_back(p, claims, n, NULL);
    if (result) return result;
    released += (int64_t)n;
  }
  return released;
}

// Waits with claims, as long as a touch may wait that comes behind them: 0 or -ETIMEDOUT. Nobody insists now, since whoever does keeps us out; who is undecided because of what it
// overwrites finds these pages missing, and waits for no claim that does not give way to it.
static int await_launches(struct hmm_pager *p, struct page_range pages, int device, struct patience *patience) {
  int result;
  while ((result = await_patiently(p, pages, false, device, 0, patience)) == -EAGAIN && !(result = await_decided(p, patience))) {}
  return result;
}

static bool is_there(const struct claim *c, unsigned device) { return word_state(c->before) == DEVICE ? word_device(c->before) == device : word_sharers(c->before) >> device & 1; }

// What is there of claimed pages, to frames from `to` on; in as few commands as there are runs, all under way before the first is waited for. 0 or an OpenCL status.
static int copy_frames(struct hmm_pager *p, unsigned device, const struct claim *claims, size_t n, int32_t to) {
  const struct device *d = &p->devices[device];
  void *events[CLAIMS_OF_A_FAULT];
  size_t begun = 0;
  int status = 0;
  for (size_t i = 0; i < n && !status;) {
    size_t j = i + 1;
    int32_t from = frame_of(d, claims[i].page), at = to + (int32_t)i;
    if (is_there(&claims[i], device)) {
      while (j < n && is_there(&claims[j], device) && dma_contiguous(d, frame_of(d, claims[j - 1].page), frame_of(d, claims[j].page)) && dma_contiguous(d, to + (int32_t)j - 1, to + (int32_t)j)) j++;
      status = dma_within(p, device, from, at, j - i, &events[begun]);
      begun += !status && events[begun];
    }
    i = j;
  }
  int flushed = begun ? dma_flush(p, d->queue) : 0;
  for (size_t i = 0; i < begun; i++) {
    int outcome = dma_finish(p, device, events[i], (struct page_range){0, 0});
    if (!status) status = outcome;
  }
  return status ? status : flushed;
}

static void give_frame(const struct device *d, const struct claim *c, unsigned device, int32_t to) {
  const struct hmm_device_config *config = &d->config;
  _Atomic int32_t *uses = TABLE(int32_t, config->last_use);
  int32_t from = frame_of(d, c->page);
  if (is_there(c, device)) extents_set(&config->region_of_frame, (uint64_t)to, extents_get(&config->region_of_frame, (uint64_t)from));
  extents_set(&config->page_of_frame, (uint64_t)from, 0);
  extents_set(&config->region_of_frame, (uint64_t)from, 0);
  atomic_store(&uses[to], atomic_load(&uses[from]));
  extents_set(&config->page_of_frame, (uint64_t)to, (int32_t)c->page + 1);
  extents_set(&config->frame_of_page, c->page, to + 1);
}

HMM_API int hmm_relocate(struct hmm_pager *p, uint64_t device, uint64_t first, uint64_t end, uint64_t frame, uint64_t *copied, struct hmm_failure *failure) {
  if (first >= end) return -EINVAL;
  struct claim claims[CLAIMS_OF_A_FAULT];
  size_t n = claim_stretch(p, first, end, claims);
  struct patience patience = new_patience(first, true, 0);
  int status = 0, waited = await_launches(p, (struct page_range){first, first + n}, (int)device, &patience);
  if (!waited) status = copy_frames(p, (unsigned)device, claims, n, (int32_t)frame);
  for (size_t i = 0; i < n; i++) {
    if (!waited && !status) {
      *copied += is_there(&claims[i], (unsigned)device);
      give_frame(&p->devices[device], &claims[i], (unsigned)device, (int32_t)(frame + i));
    }
    settle(p, &claims[i], restored, NO_PIN);
  }
  wake_claimed(p, claims, n);
  if (waited) return waited;
  if (!status) return (int)n;
  const struct claim *c = claims; // nobody says which of several commands has failed: told is the first page that was to be copied
  while (!is_there(c, (unsigned)device)) c++;
  return fail_cl(p, failure, c->page, c->before, status, HMM_CALL_COPY, (unsigned)device);
}

HMM_API int64_t hmm_undo(struct hmm_pager *p, uint64_t device, uint64_t launched_before, uint64_t clock_before,
                         uint64_t n, const uint64_t *pages, const uint64_t *committed, const uint64_t *before) {
  const struct device *d = &p->devices[device];
  unsigned own = 1u << device;
  struct patience patience = new_patience(0, true, 0); // one for all: later ones do not wait again for what did not end
  int64_t undone = 0;
  for (uint64_t i = 0; i < n; i++) {
    struct claim c;
    uint64_t w = load_word(p, pages[i]);
    if (!same_version(w, committed[i]) || word_state(w) == TO_HOST) continue; // somebody else's business by now
    if (is_away(before[i])) continue; // it need not have been home on its way here, and is as right where it is
    if (!claim_page(p, pages[i], &w, true, &c)) continue;
    int waited = await_launches(p, (struct page_range){pages[i], pages[i] + 1}, -1, &patience);
    int32_t frame = frame_of(d, pages[i]);
    bool used = frame < 0 || (int32_t)((uint32_t)last_use_of(d, p->block_shift, pages[i], frame) - (uint32_t)clock_before) > 0;
    bool back = !waited && (hmm_launched(p, device) == launched_before || !used);
    unsigned sharers = word_sharers(w);
    uint64_t next;
    if (!back) next = sharers ? word_shared(c.word, sharers) : word_next(c.word, DEVICE, (unsigned)device, 0, 0);
    else if (word_state(before[i]) == EMPTY) next = word_next(c.word, EMPTY, 0, 0, before[i] & MARKED_READ);
    else next = word_shared(c.word, (sharers & ~own) | (word_sharers(before[i]) & own)); // ours as it was
    undone += word_state(settle_to(p, &c, next)) != POISONED && back;
    wake_claimed(p, &c, 1);
  }
  return undone;
}
