// range.c - the range of addresses in which a faulting device works: see faulting.h.
//
// The memory that the device takes is that of the pages that are there, which are counted: each has a place of the budget, which is taken before it comes and given back after it has gone.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "device_fault.h"
#include "faulting.h"
#include "pager.h"
#include "stream.h"
#include "trap.h"

#define GROWTH 2
#define AHEAD_BYTES ((uint64_t)ALONG_PAGES << 12)
#define AHEAD_SHARE 2 // of a thread's part of what the budget has beyond the least: so much comes ahead at once at most
#define GATHERED (PAGES_OF_AN_INSTRUCTION + 1) // pages for each thread: those of one instruction, and one on its way in

static void unlink_page(struct faulting *f, uint64_t page) {
  struct resident *r = &f->pages[page];
  *(r->older ? &f->pages[r->older - 1].newer : &f->oldest) = r->newer;
  *(r->newer ? &f->pages[r->newer - 1].older : &f->newest) = r->older;
  r->older = r->newer = 0;
}

static void link_newest(struct faulting *f, uint64_t page) {
  struct resident *r = &f->pages[page];
  r->older = f->newest;
  r->newer = 0;
  *(f->newest ? &f->pages[f->newest - 1].newer : &f->oldest) = (uint32_t)page + 1;
  f->newest = (uint32_t)page + 1;
}

static void link_oldest(struct faulting *f, uint64_t page) {
  struct resident *r = &f->pages[page];
  r->newer = f->oldest;
  r->older = 0;
  *(f->oldest ? &f->pages[f->oldest - 1].older : &f->newest) = (uint32_t)page + 1;
  f->oldest = (uint32_t)page + 1;
}

static bool is_linked(const struct faulting *f, uint64_t page) {
  return f->pages[page].older || f->pages[page].newer || f->oldest == page + 1;
}

static void drop(struct faulting *f, uint64_t page);

// ---- quotas. The lock is held where a structure is handed in.

static struct quota *quota_of(const struct faulting *f, uint64_t page) {
  size_t low = 0, high = f->quota_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    struct quota *q = &f->quotas[middle];
    if (page < q->first) high = middle;
    else if (page >= q->end) low = middle + 1;
    else return q;
  }
  return NULL;
}

uint64_t quota_left(struct faulting *f, uint64_t page) {
  lock(f);
  const struct quota *q = quota_of(f, page);
  uint64_t left = !q ? UINT64_MAX : q->there < q->most ? q->most - q->there : 0;
  unlock(f);
  return left;
}

bool over_quota(struct faulting *f, uint64_t page) {
  lock(f);
  const struct quota *q = quota_of(f, page);
  bool over = q && q->there > q->most;
  unlock(f);
  return over;
}

// One that is as large as its pages bounds nothing.
static void add_quota(const struct faulting *f, struct quota *quotas, size_t *n, uint64_t first, uint64_t end, uint64_t most) {
  if (first >= end || most >= end - first) return;
  struct quota *q = &quotas[(*n)++];
  *q = (struct quota){first, end, most, 0};
  for (uint64_t page = first; page < end; page++) q->there += f->pages[page].presence != ABSENT;
}

static size_t changed_quotas(const struct faulting *f, struct quota *quotas, uint64_t first, uint64_t end, uint64_t most) {
  size_t n = 0, i = 0;
  for (; i < f->quota_count && f->quotas[i].end <= first; i++) quotas[n++] = f->quotas[i];
  if (i < f->quota_count && f->quotas[i].first < first) add_quota(f, quotas, &n, f->quotas[i].first, first, f->quotas[i].most);
  add_quota(f, quotas, &n, first, end, most);
  for (; i < f->quota_count && f->quotas[i].end <= end; i++) {}
  if (i < f->quota_count && f->quotas[i].first < end) {
    add_quota(f, quotas, &n, end, f->quotas[i].end, f->quotas[i].most);
    i++;
  }
  for (; i < f->quota_count; i++) quotas[n++] = f->quotas[i];
  return n;
}

int put_quota(struct faulting *f, uint64_t first, uint64_t end, uint64_t most) {
  struct quota *quotas = NULL;
  lock(f);
  for (size_t room = 0; room < f->quota_count + 2;) { // memory is taken outside of the lock, since faults wait for that
    room = f->quota_count + 2;
    unlock(f);
    free(quotas);
    quotas = calloc(room, sizeof *quotas);
    if (!quotas) return -ENOMEM;
    lock(f);
  }
  struct quota *before = f->quotas;
  size_t n = changed_quotas(f, quotas, first, end, most);
  f->quotas = quotas;
  f->quota_count = n;
  unlock(f);
  free(before);
  return 0;
}

// ---- places

uint64_t take_places(struct faulting *f, uint64_t wanted) {
  lock(f);
  uint64_t places = f->budget - f->taken < wanted ? f->budget - f->taken : wanted;
  f->taken += places;
  unlock(f);
  return places;
}

void give_places_back(struct faulting *f, uint64_t places) {
  if (!places) return;
  lock(f);
  f->taken -= places;
  unlock(f);
}

uint64_t free_places(struct faulting *f) {
  lock(f);
  uint64_t places = f->budget - f->taken;
  unlock(f);
  return places;
}

// Unlinks the oldest pages that nobody holds: under one quota, or under any that is used up, or all.
static size_t choose_among(struct faulting *f, const struct quota *only, bool used_up, uint64_t *victims, size_t most) {
  size_t n = 0;
  for (uint32_t at = f->oldest, next; at && n < most; at = next) {
    next = f->pages[at - 1].newer;
    const struct quota *q = only || used_up ? quota_of(f, at - 1) : NULL;
    if (f->pages[at - 1].holds || (only && q != only) || (used_up && (!q || q->there < q->most))) continue;
    unlink_page(f, at - 1); // nobody else chooses it
    if (f->pages[at - 1].presence == STRAY) drop(f, at - 1); // at once: the end of its kernel looks for it in the list
    victims[n++] = at - 1;
  }
  return n;
}

size_t choose_victims(struct faulting *f, uint64_t page, uint64_t *victims, size_t most) {
  lock(f);
  const struct quota *q = quota_of(f, page);
  bool used_up = q && q->there >= q->most;
  size_t n = used_up ? choose_among(f, q, false, victims, most) : f->quota_count ? choose_among(f, NULL, true, victims, most) : 0;
  if (!used_up) n += choose_among(f, NULL, false, victims + n, most - n);
  unlock(f);
  return n;
}

void keep_victim(struct faulting *f, uint64_t victim) {
  lock(f);
  // Somebody else may have taken it away meanwhile, which leaves its place to us, and it may even have come again, in a place of its own.
  if (f->pages[victim].presence == ABSENT || is_linked(f, victim)) f->taken--;
  else link_newest(f, victim);
  unlock(f);
}

void hold_for(struct faulting *f, uint32_t thread, uint64_t page) {
  struct holder *h = &f->holders[0];
  lock(f);
  for (unsigned i = 0; i < f->holder_count; i++) {
    struct holder *it = &f->holders[i];
    if (it->thread == thread) {
      h = it;
      break;
    }
    if (it->last < h->last) h = it; // whoever runs has faulted more lately than who does not
  }
  h->last = ++f->faults;
  bool anew = h->thread != thread;
  h->thread = thread;
  note_turn(f, h, anew);
  if (anew) {
    for (unsigned i = 0; i < PAGES_OF_AN_INSTRUCTION; i++) {
      if (h->pages[i]) f->pages[h->pages[i] - 1].holds--;
      h->pages[i] = 0;
    }
  }
  for (unsigned i = 0; i < PAGES_OF_AN_INSTRUCTION; i++) {
    if (h->pages[i] == page + 1) goto out;
  }
  uint32_t *place = &h->pages[h->turn++ % PAGES_OF_AN_INSTRUCTION];
  if (*place) f->pages[*place - 1].holds--;
  *place = (uint32_t)page + 1;
  f->pages[page].holds++;
out:
  unlock(f);
}

void let_holders_go(struct faulting *f) {
  lock(f);
  for (unsigned i = 0; i < f->holder_count; i++) {
    struct holder *h = &f->holders[i];
    for (unsigned j = 0; j < PAGES_OF_AN_INSTRUCTION; j++) {
      if (h->pages[j]) f->pages[h->pages[j] - 1].holds--;
    }
    *h = (struct holder){0};
  }
  unlock(f);
}

// What the budget has beyond the least is for what nobody has asked for, a part of it for each thread, so that one on its way in leaves room for those of others.
// So it is with a quota.
static uint64_t share(struct faulting *f, uint64_t page) {
  lock(f);
  const struct quota *q = quota_of(f, page);
  uint64_t budget = q && q->most < f->budget ? q->most : f->budget;
  unlock(f);
  return (budget - hmm_least_budget(f->holder_count)) / (AHEAD_SHARE * f->holder_count);
}

static uint64_t most_along(struct faulting *f, uint64_t page) {
  uint64_t most = share(f, page), bytes = AHEAD_BYTES < f->p->config.ahead_bytes ? AHEAD_BYTES : f->p->config.ahead_bytes;
  lock(f);
  if (f->most_along < most) most = f->most_along;
  unlock(f);
  return most < bytes >> f->p->config.page_shift ? most : bytes >> f->p->config.page_shift;
}

size_t evicted_at_once(struct faulting *f, uint64_t page) {
  uint64_t most = share(f, page), pages = EVICTED_BYTES >> f->p->config.page_shift;
  return (size_t)(most > pages ? pages : most ? most : 1);
}

uint64_t pages_along(struct faulting *f, uint64_t page) {
  uint64_t most = most_along(f, page);
  if (!most) return 0;
  lock(f);
  struct stream *s = NULL;
  for (unsigned i = 0; i < STREAMS && !s; i++) {
    if (f->streams[i].pages && f->streams[i].next == page) s = &f->streams[i];
  }
  uint64_t along = s ? s->pages * GROWTH : 0;
  if (along > most) along = most;
  if (!s) s = &f->streams[f->stream_turn++ % STREAMS];
  *s = (struct stream){.next = page + along + 1, .pages = along + 1};
  unlock(f);
  return along;
}

// ---- what policies say

HMM_API int hmm_set_along(struct hmm_pager *p, uint64_t device, uint64_t most) {
  struct faulting *f = faulting_of(p, device);
  if (!f) return -EINVAL;
  lock(f);
  f->most_along = most;
  unlock(f);
  return 0;
}

HMM_API uint64_t hmm_there(struct hmm_pager *p, uint64_t device, uint64_t *pages, uint64_t capacity) {
  struct faulting *f = faulting_of(p, device);
  uint64_t n = 0;
  if (!f) return 0;
  lock(f);
  for (uint32_t at = f->oldest; at; at = f->pages[at - 1].newer, n++) {
    if (n < capacity) pages[n] = at - 1;
  }
  unlock(f);
  return n;
}

HMM_API int hmm_go_first(struct hmm_pager *p, uint64_t device, const uint64_t *pages, uint64_t count) {
  struct faulting *f = faulting_of(p, device);
  if (!f) return -EINVAL;
  for (uint64_t i = count; i-- > 0;) { // one by one: faults wait for the lock
    if (pages[i] >= p->config.page_count) return -EINVAL;
    lock(f);
    if (is_linked(f, pages[i])) {
      unlink_page(f, pages[i]);
      link_oldest(f, pages[i]);
    }
    unlock(f);
  }
  return 0;
}

// ---- mappings

// Its memory is gone, or about to go. The lock is held.
static void note_absent(struct faulting *f, uint64_t page) {
  struct resident *r = &f->pages[page];
  struct quota *q = quota_of(f, page);
  if (q) q->there--;
  f->strays -= r->presence == STRAY;
  r->presence = ABSENT;
  if (!is_linked(f, page)) return; // somebody is about to evict it, and has its place
  unlink_page(f, page);
  f->taken--;
}

// What has no owner. The lock is held.
static void drop(struct faulting *f, uint64_t page) {
  f->trap->drop(f, page, page + 1);
  note_absent(f, page);
}

int map_there(struct faulting *f, uint64_t first, uint64_t end, const char *from, bool writable) {
  lock(f);
  for (uint64_t page = first; page < end; page++) {
    if (f->pages[page].presence != ABSENT) drop(f, page); // a stray
  }
  struct quota *q = quota_of(f, first);
  bool may_come = !q || q->there + (end - first) <= q->most;
  if (!may_come) f->taken -= end - first;
  else if (q) q->there += end - first;
  for (uint64_t page = first; page < end && may_come; page++) {
    f->pages[page].presence = PRESENT;
    link_newest(f, page);
  }
  unlock(f);
  if (!may_come) return -EDQUOT;
  int result = f->trap->fill(f, first, end, from, writable);
  if (result) unmap_there(f, first, end);
  return result;
}

int protect_there(struct faulting *f, uint64_t first, uint64_t end) { return f->trap->protect(f, first, end); }
int lift_there(struct faulting *f, uint64_t first, uint64_t end) { return f->trap->lift(f, first, end); }
int show_there(struct faulting *f, uint64_t first, uint64_t end) { return f->trap->show(f, first, end); }

void unmap_there(struct faulting *f, uint64_t first, uint64_t end) {
  f->trap->drop(f, first, end); // outside of the lock: the pages are the caller's, and none is mapped anew meanwhile
  lock(f);
  for (uint64_t page = first; page < end; page++) {
    if (f->pages[page].presence != ABSENT) note_absent(f, page);
  }
  unlock(f);
}

bool is_there(struct faulting *f, uint64_t page) {
  lock(f);
  bool there = f->pages[page].presence == PRESENT;
  unlock(f);
  return there;
}

bool is_gone(struct faulting *f, uint64_t victim) {
  lock(f);
  enum state s = word_state(load_word(f->p, victim));
  bool again = is_linked(f, victim); // it went, and has come again in a place of its own
  if (!again && (s == UNMAPPED || s == POISONED) && f->pages[victim].presence == PRESENT) drop(f, victim);
  bool gone = again || f->pages[victim].presence == ABSENT;
  unlock(f);
  return gone;
}

void wake_there(struct faulting *f, uint64_t first, uint64_t end) { f->trap->wake(f, first, end); }

void wake_devices(struct hmm_pager *p, uint64_t first, uint64_t end) {
  for (struct faulting *f = p->faulting.first; f; f = f->next) wake_there(f, first, end);
}

// ---- what has no owner

bool map_stray(struct faulting *f, const struct fault *fault, uint64_t judged, int kind) {
  uint64_t page = fault->page;
  struct resident *r = &f->pages[page];
  bool used = false;
  lock(f);
  struct quota *q = quota_of(f, page);
  // Under the lock: whoever makes the page good changes its word before it asks, under the lock, whether there is a stray.
  if (fault->read >= f->since && r->presence == ABSENT && (!q || q->there < q->most) && same_version(load_word(f->p, page), judged) && !f->trap->fill(f, page, page + 1, NULL, true)) {
    r->presence = STRAY;
    f->strays++;
    if (q) q->there++;
    link_newest(f, page);
    used = true;
    if (f->running && !f->violation.kind) f->violation = (struct hmm_violation){.kind = (uint64_t)kind, .page = page, .offset = fault->offset, .write = fault->write};
  }
  unlock(f);
  return used;
}

void drop_strays(struct faulting *f, uint64_t first, uint64_t end) {
  lock(f);
  for (uint32_t at = f->strays ? f->oldest : 0, next; at; at = next) {
    next = f->pages[at - 1].newer;
    if (at - 1 >= first && at - 1 < end && f->pages[at - 1].presence == STRAY) drop(f, at - 1);
  }
  unlock(f);
}

void drop_dead(struct faulting *f, uint64_t first, uint64_t end) {
  lock(f);
  for (uint64_t page = first; page < end; page++) {
    if (f->pages[page].presence == ABSENT) continue;
    enum state s = word_state(load_word(f->p, page));
    if (s == UNMAPPED || s == POISONED) drop(f, page);
  }
  unlock(f);
}

// ---- opening and closing

HMM_API uint64_t hmm_least_budget(uint64_t threads) { return threads * GATHERED; }

static void *reserve(size_t bytes, int protection) {
  void *memory = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static void release(struct faulting *f) {
  if (f->pages) munmap(f->pages, (size_t)f->p->config.page_count * sizeof *f->pages);
  free(f->holders);
  free(f->quotas);
  free(f);
}

HMM_API int hmm_fault_device(struct hmm_pager *p, uint64_t device, uint64_t range, uint64_t budget_pages, uint64_t threads) {
  if (device >= p->device_count || p->devices[device].faulting || !range || range & (p->page_bytes - 1) || !threads || threads > MAX_FAULTING_THREADS) return -EINVAL;
  if (!p->trap->range) return -ENOTSUP;
  if (p->config.page_count >= UINT32_MAX) return -EOVERFLOW;
  if (budget_pages < hmm_least_budget(threads)) return -ENOSPC;
  struct faulting *f = calloc(1, sizeof *f);
  if (!f) return -ENOMEM;
  f->p = p;
  f->trap = p->trap->range;
  f->device = (unsigned)device;
  f->range = f->ours = (char *)(uintptr_t)range;
  f->budget = budget_pages;
  f->most_along = UINT64_MAX;
  f->holder_count = (unsigned)threads;
  f->holders = calloc(threads, sizeof *f->holders);
  f->pages = reserve((size_t)p->config.page_count * sizeof *f->pages, PROT_READ | PROT_WRITE);
  int result = f->holders && f->pages ? f->trap->open(f) : -ENOMEM;
  if (result) {
    release(f);
    return result;
  }
  p->devices[device].range = f->ours;
  p->devices[device].faulting = f;
  f->next = p->faulting.first;
  p->faulting.first = f; // no kernel runs there yet
  return 0;
}

void close_faulting(struct hmm_pager *p) {
  for (struct faulting *f = p->faulting.first, *next; f; f = next) {
    next = f->next;
    f->trap->close(f);
    release(f);
  }
  p->faulting.first = NULL;
}
