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

#include "claim.h"
#include "crew.h"
#include "device_fault.h"
#include "faulting.h"
#include "inflight.h"
#include "memory.h"
#include "pager.h"
#include "requests.h"
#include "trap.h"

// ---- coming to the device

// With those that have it already; without the host, if it has not.
static uint64_t come_to_read(uint64_t w, uint64_t before, unsigned device) {
  unsigned holders = word_holders(before) | 1u << device;
  return is_away(before) ? word_peers(w, holders) : word_next(w, SHARED, 0, holders, 0);
}
static uint64_t come_to_write(uint64_t w, uint64_t before, unsigned device) {
  (void)before;
  return word_next(w, DEVICE, device, 0, 0);
}

static uint64_t end_of(const struct claim *claims, size_t n) { return claims[n - 1].page + 1; }

// The device has the pages to read, or one to write, and its mapping is too weak.
static int strengthen(struct faulting *f, const struct claim *claims, size_t n, bool write) {
  enum state before = word_state(claims->before);
  unsigned others = others_of(f, claims->before);
  uint64_t first = claims->page, end = end_of(claims, n);
  if (!write) {
    int shown = before == DEVICE && word_writable(claims->before) ? lift_there(f, first, end) : show_there(f, first, end);
    give_back(f->p, claims, n, NULL);
    return shown;
  }
  int result = before == SHARED ? f->p->trap->forbid(f->p, first, end, false) : 0;
  if (!result) {
    take_from_devices(f->p, others, first, end);
    result = lift_there(f, first, end);
    if (before != DEVICE) result = 0; // there is no way back: it may have been written to already, where only a part was refused. And none is needed: who writes to what it may only read faults again
  }
  if (result || before == DEVICE) {
    give_back(f->p, claims, n, NULL);
    return result;
  }
  count(f->p, HMM_DEVICE_UPGRADES, n);
  settle_there(f, claims, n, come_to_write);
  return 0;
}

// Where the contents are of pages that only other devices have; none of them writes there from then on.
static int find_source(struct faulting *f, const struct claim *claims, size_t n, const char **from) {
  unsigned holders = others_of(f, claims->before);
  unsigned source = (unsigned)__builtin_ctz(holders);
  *from = contents(f->p->devices[source].faulting, claims->page);
  return word_state(claims->before) == DEVICE ? withhold(f->p, source, claims->page, end_of(claims, n)) : 0;
}

// With places for the pages, which are alike. What others have is taken from them before it can be written to here.
static int bring(struct faulting *f, const struct claim *claims, size_t n, bool write) {
  struct hmm_pager *p = f->p;
  uint64_t first = claims->page, end = end_of(claims, n), before = claims->before;
  unsigned others = others_of(f, before);
  const char *from = word_state(before) == EMPTY ? NULL : alias_of(p, first);
  int result = is_away(before) ? find_source(f, claims, n, &from) : p->trap->forbid(p, first, end, !write);
  if (!result && from == alias_of(p, first)) result = back(p, first, end);
  if (result) give_places_back(f, n);
  else result = map_there(f, first, end, from, write && !others);
  if (result && device_has(f, before)) settle_there(f, claims, n, left_device); // what had gone without its word
  else if (result) give_back(p, claims, n, NULL);
  if (result) return result;
  if (write && others) {
    take_from_devices(p, others, first, end);
    lift_there(f, first, end); // else the thread faults once more
  }
  count(p, write ? HMM_DEVICE_WRITES : HMM_DEVICE_READS, n); // before the thread goes on: who asks after its access finds it counted
  count(p, HMM_DEVICE_AHEAD, n - 1);
  settle_there(f, claims, n, write ? come_to_write : come_to_read);
  return 0;
}

// ---- one fault

// A fault that was read before the kernel began that runs: its thread has gone on, or is woken and faults again.
static bool is_late(const struct fault *fault) {
  lock(fault->device);
  bool late = fault->read < fault->device->since;
  unlock(fault->device);
  return late;
}

static int refused(uint64_t w, bool write) {
  switch (word_state(w)) {
  case UNMAPPED: return HMM_OUTSIDE;
  case POISONED: return HMM_LOST;
  default: return !word_readable(w) ? HMM_UNREADABLE : write && !word_writable(w) ? HMM_UNWRITABLE : 0;
  }
}

// Whether the thread may go on. Not while somebody has the page claimed, whose word says still which devices have copies: it is his.
static bool give_stray(struct faulting *f, const struct fault *fault, uint64_t w, int kind) {
  if (word_state(w) == TO_HOST) return false;
  if (device_has(f, w)) { // it has it to read; as long as it does, what it writes must not be seen
    struct claim c;
    if (!claim_page(f->p, fault->page, &w, true, &c) || evict_claimed(f, &c, 1)) return false;
    w = load_word(f->p, fault->page);
    if (kind != HMM_HELD && !refused(w, fault->write)) return false;
  }
  drop_dead(f, fault->page, fault->page + 1);
  if (!make_place(f, fault->page)) return false;
  if (!map_stray(f, fault, w, kind)) {
    give_places_back(f, 1);
    return false;
  }
  count(f->p, HMM_DEVICE_STRAYS, 1);
  return true;
}

// Who is left alone is woken by whoever has claimed the page; who waits, by whoever closes its view, or when it is to look again whether it is its turn.
enum served { SERVED, STRAYED, AGAIN, LEFT_ALONE, WAITS };

// What is next to a page that the kernel has read and then written will be written, too, most likely; that saves the second fault.
static bool writes_next(const struct faulting *f, uint64_t page) {
  if (!page) return false;
  uint64_t w = load_word(f->p, page);
  if (atomic_load_explicit(&f->p->region_starts[page], memory_order_relaxed) || !word_writable(w) || pinned_against(w, true) || others_of(f, w)) return false;
  uint64_t before = load_word(f->p, page - 1);
  return word_state(before) == DEVICE && word_device(before) == f->device;
}

static enum state place_of(uint64_t w) { return word_state(w) == TO_DEVICE ? HOST : word_state(w); }

// Claims the page of a fault, whose word is `w`, and what follows it, as far as that is in the same place and may be treated alike. Returns how many; 0 if the word has changed.
static size_t claim_run(struct faulting *f, const struct fault *fault, uint64_t w, uint64_t most, bool write, struct claim *claims) {
  struct hmm_pager *p = f->p;
  const bool there = device_has(f, w);
  const enum state place = place_of(w);
  const unsigned others = others_of(f, w);
  size_t n = 0;
  for (uint64_t page = fault->page; n < most && page < p->config.page_count; page++) {
    if (page > fault->page) {
      w = load_word(p, page);
      bool alike = place_of(w) == place && device_has(f, w) == there && others_of(f, w) == others && !refused(w, write) && !pinned_against(w, write) && (!there || is_there(f, page));
      if (!alike || atomic_load_explicit(&p->region_starts[page], memory_order_relaxed) || is_kept(f, page, fault, w)) break;
    }
    if (!claim_page(p, page, &w, true, &claims[n])) break;
    n++;
  }
  return n;
}

// `run` is of how many pages a stream would be that the fault belongs to, `end` where what has come ends.
static enum served serve_device_fault(struct faulting *f, const struct fault *fault, uint64_t *run, uint64_t *end) {
  struct hmm_pager *p = f->p;
  struct claim claims[ALONG_PAGES + 1];
  uint64_t places = 0;
  enum served served = AGAIN;
  for (bool again = true; again;) {
    again = false;
    uint64_t w = load_word(p, fault->page);
    int kind = refused(w, fault->write);
    bool there = device_has(f, w) && (word_state(w) == DEVICE || is_there(f, fault->page)); // what others have a copy of may have gone without its word
    bool enough = there && f->trap->allows(f, fault, word_state(w) == DEVICE);
    if (word_state(w) == TO_HOST) served = LEFT_ALONE;
    else if ((kind || pinned_against(w, fault->write)) && is_late(fault)) served = AGAIN;
    else if (kind) served = give_stray(f, fault, w, kind) ? STRAYED : AGAIN;
    else if (pinned_against(w, fault->write)) served = !waits_too_long(f, fault) ? WAITS : give_stray(f, fault, w, HMM_HELD) ? STRAYED : AGAIN;
    else if (enough) served = AGAIN; // it came in the meantime
    else if (is_kept(f, fault->page, fault, w) && waits_for_turn(f, fault)) served = WAITS;
    else {
      if (!*run) *run = 1 + pages_along(f, fault->page);
      if (!there && !places) {
        places = make_place(f, fault->page);
        again = places;
        continue;
      }
      bool write = fault->write || (!there && writes_next(f, fault->page));
      bool alone = (there && word_state(w) == DEVICE) || there != device_has(f, w);
      size_t n = claim_run(f, fault, w, alone ? 1 : *run, write, claims);
      again = !n;
      if (again) continue;
      if (is_late(fault)) { // nobody waits for it; and whoever has called all home since its kernel has ended is to find it there
        give_back(p, claims, n, NULL);
        break;
      }
      if (!there) { // what comes along takes what is free, now that it is known how much that is
        uint64_t left = quota_left(f, fault->page), along = n < left ? n : left;
        size_t kept = 1 + (size_t)take_places(f, along ? along - 1 : 0);
        count(p, HMM_DEVICE_LATE, n - kept);
        if (kept < n) give_back(p, claims + kept, n - kept, NULL);
        n = kept;
        places = 0;
      }
      int result = there ? strengthen(f, claims, n, write) : bring(f, claims, n, write);
      again = result && n > 1;
      *end = fault->page + n;
      if (result && !again) step(p, HMM_STEP_REFUSED);
      if (again) *run = 1; // a neighbour may have been at fault
      // There is no memory for it: on the host, or on the device. What is refused needs some, too; until there is, the thread goes on trying.
      else served = !result ? SERVED : result != -EDQUOT && !is_late(fault) && give_stray(f, fault, load_word(p, fault->page), HMM_NO_MEMORY) ? STRAYED : AGAIN;
    }
  }
  give_places_back(f, places);
  return served;
}

// How many of the pages are not there that the kernel will ask for next.
static uint64_t missing_from(const struct faulting *f, uint64_t first, uint64_t most) {
  const struct hmm_pager *p = f->p;
  uint64_t page = first;
  while (page < first + most && page < p->config.page_count && !atomic_load_explicit(&p->region_starts[page], memory_order_relaxed)) {
    uint64_t w = load_word(p, page);
    if (device_has(f, w) || word_state(w) == TO_HOST) break;
    page++;
  }
  return page - first;
}

void serve_device(struct hmm_pager *p, const struct fault *faults, int n) {
  for (int i = 0; i < n; i++) {
    if (faults[i].slot) park_request(p, &faults[i]); // before its word is looked at: who changes that wakes it
  }
  for (int i = 0; i < n; i++) {
    const struct fault *fault = &faults[i];
    struct faulting *f = fault->device;
    hold_for(f, fault->thread, fault->page);
    uint64_t run = 0, end = 0;
    enum served served = serve_device_fault(f, fault, &run, &end);
    if (served == WAITS) promote(p); // and is idle next, so that the wait has an end
    else if (served != LEFT_ALONE && f->waiting) waits_no_more(f, fault);
    if (served == AGAIN) sched_yield(); // whoever is in the way is to go on
    if (served == AGAIN || served == STRAYED) wake_there(f, fault->page, fault->page + 1); // else whoever ends the claim does it
    if (served != SERVED || run == 1) continue;
    uint64_t free = free_places(f), left = quota_left(f, end); // before the pages are counted: what has come meanwhile took its places from these
    uint64_t missing = missing_from(f, end, run);
    if (missing <= free && (left || !missing)) continue; // a quota of which something is left makes no room before it is used up
    promote(p); // faults must not wait for what nobody waits for
    evict_ahead(f, end);
  }
}

// ---- launches

void device_begins(struct hmm_pager *p, const struct launch *l) {
  struct faulting *f = p->devices[l->device].faulting;
  lock(f);
  f->running = l;
  f->since = tick(p);
  f->violation.kind = 0;
  unlock(f);
}

void device_ends(struct hmm_pager *p, const struct launch *l) {
  struct faulting *f = p->devices[l->device].faulting;
  lock(f);
  f->since = tick(p); // before strays go: none comes any more
  forget_waits(f);
  unlock(f);
  let_holders_go(f);
  drop_strays(f, 0, p->config.page_count);
  lock(f);
  if (f->violation.kind) {
    f->violation.launch = l->number;
    f->ended[f->ended_turn++ % VIOLATIONS] = f->violation;
  }
  f->violation.kind = 0;
  f->running = NULL;
  unlock(f);
}

bool violation_of(struct hmm_pager *p, uint64_t launch, struct hmm_violation *violation) {
  bool found = false;
  for (struct faulting *f = p->faulting.first; f && !found; f = f->next) {
    lock(f);
    for (unsigned i = 0; i < VIOLATIONS && !found; i++) {
      found = f->ended[i].kind && f->ended[i].launch == launch;
      if (found) *violation = f->ended[i];
    }
    unlock(f);
  }
  return found;
}
