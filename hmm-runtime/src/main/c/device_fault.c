// device_fault.c - a fault of a kernel, on a device that works in a range of its own (faulting.h), and what leaves that device for whatever reason.
//
// A load or store of the kernel that finds no mapping, or one that is too weak, stops the device's thread. The crew claims the page TO_HOST as a launch that insists does, brings it to the
// device, settles the claim and wakes the thread, in one call; so the host, too, finds the page claimed, and is woken. To make room a victim is brought home under a claim of its own,
// before the page is claimed: nobody who holds a claim waits for another one, and this file waits for nothing at all.
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
#include <string.h>

#include "claim.h"
#include "faulting.h"

// ---- leaving the device

// What a claimed page becomes that has left the device, after its contents were brought home if only the device had them.
static uint64_t left_device(uint64_t w, uint64_t before, unsigned device) {
  if (is_doomed(w, before)) return poisoned(w, before);
  return word_shared(w, word_sharers(before) & ~(1u << device));
}

static void settle_as(struct hmm_pager *p, const struct claim *c, uint64_t (*next)(uint64_t w, uint64_t before, unsigned device)) {
  uint64_t w = load_word(p, c->page), to;
  do to = next(w, c->before, p->faulting->device);
  while (!change_word(p, c->page, &w, to));
  if (word_state(to) == POISONED) count(p, HMM_POISONED, 1);
  wake_claimed(p, c, 1);
}

static int bring_home(struct hmm_pager *p, uint64_t page) {
  int result = protect_there(p, page, page + 1); // nobody writes to it any more
  if (!result) result = back(p, page, page + 1);
  if (!result) memcpy(alias_of(p, page), in_range(p, page), (size_t)p->page_bytes);
  return result;
}

// Takes a page that the device has and the caller has claimed away from it, and settles the claim. 0 or -errno, and then the page is where it was.
static int evict_claimed(struct hmm_pager *p, const struct claim *c) {
  bool only_there = word_state(c->before) == DEVICE;
  int result = only_there ? bring_home(p, c->page) : 0;
  if (result) {
    settle(p, c, restored, NO_PIN);
    wake_claimed(p, c, 1);
    return result;
  }
  unmap_there(p, c->page);
  settle_as(p, c, left_device);
  count(p, HMM_DEVICE_EVICTED, 1);
  if (only_there) count(p, HMM_DEVICE_WRITTEN_BACK, 1);
  return 0;
}

// Whether the victim's place is free now.
static bool evict(struct hmm_pager *p, uint64_t victim) {
  while (!is_gone(p, victim)) {
    uint64_t w = load_word(p, victim);
    if (word_state(w) == TO_HOST) return false;
    if (!device_has(p->faulting, w)) continue; // it has just gone
    struct claim c = {victim, word_claim(w, true), w, false};
    if (!change_word(p, victim, &w, c.word)) continue;
    return !evict_claimed(p, &c);
  }
  return true;
}

// A place for one page. False if there is none now: everybody who may go is on his way already, or has nowhere to go to.
static bool make_place(struct hmm_pager *p) {
  for (uint64_t tries = 0; tries <= p->faulting->budget; tries++) {
    uint64_t victim;
    if (take_place(p, &victim)) return true;
    if (victim == p->config.page_count) return false;
    if (evict(p, victim)) return true;
    keep_victim(p, victim);
  }
  return false;
}

int take_home(struct hmm_pager *p, uint64_t first, uint64_t end) {
  for (uint64_t page = first; page < end; page++) {
    uint64_t w = load_word(p, page);
    while (word_state(w) == TO_HOST || device_has(p->faulting, w)) {
      if (word_state(w) == TO_HOST) {
        wait_settled(p, page);
        w = load_word(p, page);
        continue;
      }
      struct claim c = {page, word_claim(w, true), w, false};
      if (!change_word(p, page, &w, c.word)) continue;
      int result = evict_claimed(p, &c);
      if (result) return result;
      break;
    }
  }
  return 0;
}

HMM_API int hmm_take_home(struct hmm_pager *p, uint64_t first, uint64_t end) { return p->faulting ? take_home(p, first, end) : -EINVAL; }

int withhold(struct hmm_pager *p, uint64_t first, uint64_t end) { return protect_there(p, first, end); }
void take_from_device(struct hmm_pager *p, uint64_t page) { unmap_there(p, page); }

int restrict_device(struct hmm_pager *p, uint64_t first, uint64_t end, uint64_t access) {
  drop_strays(p, first, end);
  if (access == 0) return take_home(p, first, end);
  return access == 1 ? protect_there(p, first, end) : 0;
}

void forget_dead(struct hmm_pager *p, uint64_t first, uint64_t end) { drop_dead(p, first, end); }

// ---- coming to the device

static uint64_t come_to_read(uint64_t w, uint64_t before, unsigned device) { return word_next(w, SHARED, 0, word_sharers(before) | 1u << device, 0); }
static uint64_t come_to_write(uint64_t w, uint64_t before, unsigned device) {
  (void)before;
  return word_next(w, DEVICE, device, 0, 0);
}

static void give_claim_back(struct hmm_pager *p, const struct claim *c) {
  settle(p, c, restored, NO_PIN);
  wake_claimed(p, c, 1);
}

// The device has the page to read, or to write and only its mapping is too weak.
static int strengthen(struct hmm_pager *p, const struct claim *c) {
  bool upgrade = word_state(c->before) == SHARED;
  int result = upgrade ? p->trap->forbid(p, c->page, c->page + 1, false) : 0;
  if (!result) result = lift_there(p, c->page);
  if (result || !upgrade) {
    give_claim_back(p, c);
    return result;
  }
  settle_as(p, c, come_to_write);
  count(p, HMM_DEVICE_UPGRADES, 1);
  return 0;
}

// With a place for the page.
static int bring(struct hmm_pager *p, const struct claim *c, bool write) {
  bool empty = word_state(c->before) == EMPTY;
  int result = p->trap->forbid(p, c->page, c->page + 1, !write);
  if (!result && !empty) result = back(p, c->page, c->page + 1);
  if (result) give_place_back(p);
  else result = map_there(p, c->page, empty ? p->faulting->zeros : alias_of(p, c->page), write);
  if (result) {
    give_claim_back(p, c);
    return result;
  }
  settle_as(p, c, write ? come_to_write : come_to_read);
  count(p, write ? HMM_DEVICE_WRITES : HMM_DEVICE_READS, 1);
  return 0;
}

// ---- one fault

static void note(struct hmm_pager *p, uint64_t page, uint64_t offset, bool write, int kind) {
  struct faulting *f = p->faulting;
  pthread_mutex_lock(&f->lock);
  if (f->running && !f->violation.kind) f->violation = (struct hmm_violation){.kind = (uint64_t)kind, .page = page, .offset = offset, .write = write};
  pthread_mutex_unlock(&f->lock);
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
    if (!change_word(p, f->page, &w, c.word) || evict_claimed(p, &c)) return false;
    w = load_word(p, f->page);
    if (!refused(w, f->write)) return false;
  }
  drop_dead(p, f->page, f->page + 1);
  if (!make_place(p)) return false;
  if (!map_stray(p, f->page, w)) {
    give_place_back(p);
    return false;
  }
  note(p, f->page, f->offset, f->write, kind);
  count(p, HMM_DEVICE_STRAYS, 1);
  return true;
}

enum served { SERVED, AGAIN, LATER };

static enum served serve_claimed(struct hmm_pager *p, const struct fault *f, const struct claim *c, bool brings, bool write) {
  int result = brings ? bring(p, c, write) : strengthen(p, c);
  if (!result) return SERVED;
  uint64_t w = load_word(p, f->page);
  // There is no memory for it: on the host, or on the device. What is refused needs some, too; until there is, the thread goes on trying.
  if (give_stray(p, f, w, HMM_NO_MEMORY)) return SERVED;
  return AGAIN;
}

// What is next to a page that the kernel has read and then written will be written, too, most likely; that saves the second fault.
static bool writes_next(struct hmm_pager *p, uint64_t page) {
  if (!page || page == p->config.page_count) return false;
  uint64_t w = load_word(p, page);
  if (atomic_load_explicit(&p->region_starts[page], memory_order_relaxed) || !word_writable(w) || pinned_against(w, true)) return false;
  uint64_t before = load_word(p, page - 1);
  return word_state(before) == DEVICE && word_device(before) == p->faulting->device;
}

// Nobody waits for these pages: the first that is of another kind, or for which there is no place, ends it.
static void bring_along(struct hmm_pager *p, uint64_t first, uint64_t pages, bool write) {
  for (uint64_t page = first; page < first + pages && page < p->config.page_count; page++) {
    if (atomic_load_explicit(&p->region_starts[page], memory_order_relaxed)) return;
    uint64_t w = load_word(p, page);
    if (word_state(w) == TO_HOST || refused(w, write) || pinned_against(w, write)) return;
    if (device_has(p->faulting, w)) continue;
    if (!make_place(p)) return;
    struct claim c = {page, word_claim(w, true), w, false};
    if (!change_word(p, page, &w, c.word)) {
      give_place_back(p);
      return;
    }
    if (bring(p, &c, write)) return;
    count(p, HMM_DEVICE_AHEAD, 1);
  }
}

static enum served serve_device_fault(struct hmm_pager *p, const struct fault *f, uint64_t *along) {
  bool placed = false;
  enum served served = AGAIN;
  for (bool again = true; again;) {
    again = false;
    uint64_t w = load_word(p, f->page);
    int kind = refused(w, f->write);
    bool there = device_has(p->faulting, w) && (word_state(w) == DEVICE || is_there(p, f->page)); // what others have a copy of may have gone without its word
    bool enough = there && (!f->write || (word_state(w) == DEVICE && !f->mapped));
    if (word_state(w) == TO_HOST) served = LATER; // who ends that claim wakes the thread
    else if (kind) served = give_stray(p, f, w, kind) ? SERVED : AGAIN;
    else if (pinned_against(w, f->write)) served = LATER; // and who closes the view
    else if (enough) served = AGAIN; // it came in the meantime
    else if (!there && !placed) {
      again = placed = make_place(p);
    } else {
      struct claim c = {f->page, word_claim(w, true), w, false};
      again = !change_word(p, f->page, &w, c.word);
      if (again) continue;
      bool brings = !there;
      served = serve_claimed(p, f, &c, brings, f->write || (brings && writes_next(p, f->page)));
      if (served == SERVED && brings) *along = pages_along(p, f->page);
      if (!there) placed = false;
    }
  }
  if (placed) give_place_back(p);
  return served;
}

void serve_device(struct hmm_pager *p, const struct fault *faults, int n) {
  for (int i = 0; i < n; i++) {
    const struct fault *f = &faults[i];
    hold_for(p, f->thread, f->page);
    uint64_t along = 0;
    enum served served = serve_device_fault(p, f, &along);
    if (served == AGAIN) sched_yield(); // whoever is in the way is to go on
    if (served != LATER) wake_there(p, f->page, f->page + 1);
    if (!along) continue;
    promote(p); // faults must not wait for what nobody waits for
    bring_along(p, f->page + 1, along, writes_next(p, f->page + 1));
  }
}

HMM_API int hmm_wake_device(struct hmm_pager *p, uint64_t first, uint64_t end) {
  if (p->faulting) wake_there(p, first, end);
  return 0;
}

// ---- launches

void device_begins(struct hmm_pager *p, const struct launch *l) {
  struct faulting *f = p->faulting;
  pthread_mutex_lock(&f->lock);
  f->running = l;
  f->violation.kind = 0;
  pthread_mutex_unlock(&f->lock);
}

void device_ends(struct hmm_pager *p, const struct launch *l) {
  struct faulting *f = p->faulting;
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
