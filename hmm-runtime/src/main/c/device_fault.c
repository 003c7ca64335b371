// device_fault.c - a fault of a kernel, on a device that works in a range of its own (faulting.h).
//
// A load or store of the kernel that finds no mapping, or one that is too weak, stops the device's thread. The crew claims the page TO_HOST as a launch that insists does, brings it to the
// device, settles the claim and wakes the thread, in one call; so the host, too, finds the page claimed, and is woken. To make room a victim is brought home under a claim of its own,
// before the page is claimed: nobody who holds a claim waits for another one, and this file waits for nothing at all.
//
// A fault that begins where an earlier one has ended belongs to a stream: what follows comes along, in the same calls.
//
// The host does not wait for such a kernel: home.c takes the page away under its claim (`withhold`, then `take_from_device`), and the kernel faults again if it still wants it.
//
// Progress. An instruction may touch PAGES_OF_AN_INSTRUCTION pages and is made again until all of them are there. What a thread was given for its last so many faults is no victim, and there
// are places for as much as all threads may hold and one more each: so a fault always finds a victim, and after that many faults an instruction has all that it needs. What the host
// takes away meanwhile is brought again.
//
// What is refused gets a page of its own that reads as zeros and vanishes: the kernel runs to its end, and its launch is told the first such access.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>

#include "faulting.h"

// ---- coming to the device

static uint64_t come_to_read(uint64_t w, uint64_t before, unsigned device) { return word_next(w, SHARED, 0, word_sharers(before) | 1u << device, 0); }
static uint64_t come_to_write(uint64_t w, uint64_t before, unsigned device) {
  (void)before;
  return word_next(w, DEVICE, device, 0, 0);
}

static void give_back(struct hmm_pager *p, const struct claim *claims, size_t n) {
  for (size_t i = 0; i < n; i++) settle(p, &claims[i], restored, NO_PIN);
  wake_claimed(p, claims, n);
}

static uint64_t end_of(const struct claim *claims, size_t n) { return claims[n - 1].page + 1; }

// The device has the pages to read, or one to write and only its mapping is too weak.
static int strengthen(struct hmm_pager *p, const struct claim *claims, size_t n) {
  bool upgrade = word_state(claims->before) == SHARED;
  int result = upgrade ? p->trap->forbid(p, claims->page, end_of(claims, n), false) : 0;
  if (!result) result = lift_there(p, claims->page, end_of(claims, n));
  if (result || !upgrade) {
    give_back(p, claims, n);
    return result;
  }
  count(p, HMM_DEVICE_UPGRADES, n);
  settle_there(p, claims, n, come_to_write);
  return 0;
}

// With places for the pages, all of which have contents, or none.
static int bring(struct hmm_pager *p, const struct claim *claims, size_t n, bool write) {
  uint64_t first = claims->page, end = end_of(claims, n);
  bool empty = word_state(claims->before) == EMPTY;
  int result = p->trap->forbid(p, first, end, !write);
  if (!result && !empty) result = back(p, first, end);
  if (result) give_places_back(p, n);
  else result = map_there(p, first, end, empty ? NULL : alias_of(p, first), write);
  if (result) {
    give_back(p, claims, n);
    return result;
  }
  count(p, write ? HMM_DEVICE_WRITES : HMM_DEVICE_READS, n); // before the thread goes on: who asks after its access finds it counted
  count(p, HMM_DEVICE_AHEAD, n - 1);
  settle_there(p, claims, n, write ? come_to_write : come_to_read);
  return 0;
}

// ---- one fault

// A fault that was read before the kernel began that runs: its thread has gone on, or is woken and faults again.
static bool is_late(struct hmm_pager *p, const struct fault *fault) {
  struct faulting *f = p->faulting;
  pthread_mutex_lock(&f->lock);
  bool late = fault->read < f->since;
  pthread_mutex_unlock(&f->lock);
  return late;
}

static int refused(uint64_t w, bool write) {
  switch (word_state(w)) {
  case UNMAPPED: return HMM_OUTSIDE;
  case POISONED: return HMM_LOST;
  default: return !word_readable(w) ? HMM_UNREADABLE : write && !word_writable(w) ? HMM_UNWRITABLE : 0;
  }
}

// Whether the thread may go on.
static bool give_stray(struct hmm_pager *p, const struct fault *f, uint64_t w, int kind) {
  if (device_has(p->faulting, w)) { // it has it to read; as long as it does, what it writes must not be seen
    struct claim c = {f->page, word_claim(w, true), w, false};
    if (!change_word(p, f->page, &w, c.word) || evict_claimed(p, &c, 1)) return false;
    w = load_word(p, f->page);
    if (kind != HMM_HELD && !refused(w, f->write)) return false;
  }
  drop_dead(p, f->page, f->page + 1);
  if (!make_place(p, f->page)) return false;
  if (!map_stray(p, f, w, kind)) {
    give_places_back(p, 1);
    return false;
  }
  count(p, HMM_DEVICE_STRAYS, 1);
  return true;
}

// Who is left alone is woken by whoever has claimed the page; who waits, by whoever closes its view.
enum served { SERVED, STRAYED, AGAIN, LEFT_ALONE, WAITS };

// What is next to a page that the kernel has read and then written will be written, too, most likely; that saves the second fault.
static bool writes_next(struct hmm_pager *p, uint64_t page) {
  if (!page) return false;
  uint64_t w = load_word(p, page);
  if (atomic_load_explicit(&p->region_starts[page], memory_order_relaxed) || !word_writable(w) || pinned_against(w, true)) return false;
  uint64_t before = load_word(p, page - 1);
  return word_state(before) == DEVICE && word_device(before) == p->faulting->device;
}

static enum state place_of(uint64_t w) { return word_state(w) == TO_DEVICE ? HOST : word_state(w); }

// Claims the page of a fault, whose word is `w`, and what follows it, as far as that is in the same place and may be treated alike. Returns how many; 0 if the word has changed.
static size_t claim_run(struct hmm_pager *p, uint64_t first, uint64_t w, uint64_t most, bool write, struct claim *claims) {
  const bool there = device_has(p->faulting, w);
  const enum state place = place_of(w);
  size_t n = 0;
  for (uint64_t page = first; n < most && page < p->config.page_count; page++) {
    if (page > first) {
      w = load_word(p, page);
      bool alike = place_of(w) == place && device_has(p->faulting, w) == there && !refused(w, write) && !pinned_against(w, write) && (!there || is_there(p, page));
      if (!alike || atomic_load_explicit(&p->region_starts[page], memory_order_relaxed)) break;
    }
    struct claim c = {page, word_claim(w, true), w, false};
    if (!change_word(p, page, &w, c.word)) break;
    claims[n++] = c;
  }
  return n;
}

// `run` is of how many pages a stream would be that the fault belongs to, `end` where what has come ends.
static enum served serve_device_fault(struct hmm_pager *p, const struct fault *f, uint64_t *run, uint64_t *end) {
  struct claim claims[ALONG_PAGES + 1];
  uint64_t places = 0;
  enum served served = AGAIN;
  for (bool again = true; again;) {
    again = false;
    uint64_t w = load_word(p, f->page);
    int kind = refused(w, f->write);
    bool there = device_has(p->faulting, w) && (word_state(w) == DEVICE || is_there(p, f->page)); // what others have a copy of may have gone without its word
    bool enough = there && (!f->write || (word_state(w) == DEVICE && !f->mapped));
    if (word_state(w) == TO_HOST) served = LEFT_ALONE;
    else if ((kind || pinned_against(w, f->write)) && is_late(p, f)) served = AGAIN;
    else if (kind) served = give_stray(p, f, w, kind) ? STRAYED : AGAIN;
    else if (pinned_against(w, f->write)) served = !waits_too_long(p, f) ? WAITS : give_stray(p, f, w, HMM_HELD) ? STRAYED : AGAIN;
    else if (enough) served = AGAIN; // it came in the meantime
    else {
      if (!*run) *run = 1 + pages_along(p, f->page);
      if (!there && !places) {
        places = make_place(p, f->page);
        again = places;
        continue;
      }
      bool write = there || f->write || writes_next(p, f->page);
      size_t n = claim_run(p, f->page, w, word_state(w) == DEVICE || there != device_has(p->faulting, w) ? 1 : *run, write, claims);
      again = !n;
      if (again) continue;
      if (!there) { // what comes along takes what is free, now that it is known how much that is
        uint64_t left = quota_left(p, f->page), along = n < left ? n : left;
        size_t kept = 1 + (size_t)take_places(p, along ? along - 1 : 0);
        if (kept < n) give_back(p, claims + kept, n - kept);
        n = kept;
        places = 0;
      }
      int result = there ? strengthen(p, claims, n) : bring(p, claims, n, write);
      again = result && n > 1;
      *end = f->page + n;
      if (again) *run = 1; // a neighbour may have been at fault
      // There is no memory for it: on the host, or on the device. What is refused needs some, too; until there is, the thread goes on trying.
      else served = !result ? SERVED : result != -EDQUOT && !is_late(p, f) && give_stray(p, f, load_word(p, f->page), HMM_NO_MEMORY) ? STRAYED : AGAIN;
    }
  }
  give_places_back(p, places);
  return served;
}

// How many of the pages are not there that the kernel will ask for next.
static uint64_t missing_from(const struct hmm_pager *p, uint64_t first, uint64_t most) {
  uint64_t page = first;
  while (page < first + most && page < p->config.page_count && !atomic_load_explicit(&p->region_starts[page], memory_order_relaxed)) {
    uint64_t w = load_word(p, page);
    if (device_has(p->faulting, w) || word_state(w) == TO_HOST) break;
    page++;
  }
  return page - first;
}

void serve_device(struct hmm_pager *p, const struct fault *faults, int n) {
  for (int i = 0; i < n; i++) {
    const struct fault *f = &faults[i];
    hold_for(p, f->thread, f->page);
    uint64_t run = 0, end = 0;
    enum served served = serve_device_fault(p, f, &run, &end);
    if (served == WAITS) promote(p); // and is idle next, so that the wait has an end
    else if (served != LEFT_ALONE && p->faulting->waiting) waits_no_more(p, f);
    if (served == AGAIN) sched_yield(); // whoever is in the way is to go on
    if (served == AGAIN || served == STRAYED) wake_there(p, f->page, f->page + 1); // else whoever ends the claim does it
    if (served != SERVED || run == 1) continue;
    uint64_t free = free_places(p), left = quota_left(p, end); // before the pages are counted: what has come meanwhile took its places from these
    if (missing_from(p, end, run) <= (free < left ? free : left)) continue;
    promote(p); // faults must not wait for what nobody waits for
    evict_ahead(p, end);
  }
}

// ---- launches

void device_begins(struct hmm_pager *p, const struct launch *l) {
  struct faulting *f = p->faulting;
  pthread_mutex_lock(&f->lock);
  f->running = l;
  f->since = tick(f);
  f->violation.kind = 0;
  pthread_mutex_unlock(&f->lock);
}

void device_ends(struct hmm_pager *p, const struct launch *l) {
  struct faulting *f = p->faulting;
  pthread_mutex_lock(&f->lock);
  f->since = tick(f); // before strays go: none comes any more
  forget_waits(f);
  pthread_mutex_unlock(&f->lock);
  let_holders_go(p);
  drop_strays(p, 0, p->config.page_count);
  pthread_mutex_lock(&f->lock);
  if (f->violation.kind) {
    f->violation.launch = l->number;
    f->ended[f->ended_turn++ % VIOLATIONS] = f->violation;
  }
  f->violation.kind = 0;
  f->running = NULL;
  pthread_mutex_unlock(&f->lock);
}

bool violation_of(struct hmm_pager *p, uint64_t launch, struct hmm_violation *violation) {
  struct faulting *f = p->faulting;
  bool found = false;
  pthread_mutex_lock(&f->lock);
  for (unsigned i = 0; i < VIOLATIONS && !found; i++) {
    found = f->ended[i].kind && f->ended[i].launch == launch;
    if (found) *violation = f->ended[i];
  }
  pthread_mutex_unlock(&f->lock);
  return found;
}
