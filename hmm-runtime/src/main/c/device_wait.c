// device_wait.c - threads of faulting devices that wait (faulting.h).
//
// For a view to close: nobody knows when that will be, so they wait as long as a touch may: then the access is refused, as if there
// were no memory for the page, and the page stays as it is. The launch ends with the first such page, so its kernel waits for no other.
//
// A wait begins when a fault meets a view and ends with a later fault of its thread that does not, when the view closes, or with the kernel. Whoever is idle in the crew wakes a thread whose time is up; the
// access is made again then, and meets the end of its wait here.
//
// For its turn (device_turn.c): such a thread looks again every LOOK_NANOS, in the same way.
#define _GNU_SOURCE
#include "crew.h"
#include "device_fault.h"
#include "faulting.h"
#include "pager.h"
#include "trap.h"

#define LOOK_NANOS 50000ULL

// The lock is held, here and in what follows.
static void forget(struct faulting *f, unsigned i) { f->waits[i] = f->waits[--f->waiting]; }

static void note_first(struct faulting *f) {
  uint64_t first = 0;
  for (unsigned i = 0; i < f->waiting; i++) {
    if (!f->waits[i].over && (!first || f->waits[i].deadline < first)) first = f->waits[i].deadline;
  }
  atomic_store(&f->wait_over, first);
}

static void forget_ended(struct faulting *f, uint64_t first, uint64_t end) {
  for (unsigned i = 0; i < f->waiting; i++) {
    uint64_t page = f->waits[i].page;
    if (!f->waits[i].turn && page >= first && page < end && !pinned_against(load_word(f->p, page), f->waits[i].write)) forget(f, i--);
  }
  note_first(f);
}

// ----

void forget_waits(struct faulting *f) {
  f->waiting = 0;
  note_first(f);
}

// The number of the thread's wait, or where there is room for it; -1 if the thread waits elsewhere by now, or there is none.
static int wait_of(const struct faulting *f, const struct fault *fault) {
  unsigned i = 0;
  while (i < f->waiting && f->waits[i].thread != fault->thread) i++;
  return i == MAX_FAULTING_THREADS || (i < f->waiting && f->waits[i].read > fault->read) ? -1 : (int)i;
}

static void note(struct faulting *f, unsigned i, struct device_wait wait) {
  f->waits[i] = wait;
  if (i == f->waiting) f->waiting++;
}

bool waits_too_long(struct faulting *f, const struct fault *fault) {
  const uint64_t most = f->p->config.touch_nanos;
  lock(f);
  bool over = f->running && f->violation.kind == HMM_HELD; // its launch ends with one such page, and must not wait as long for each
  int at = wait_of(f, fault);
  if (at < 0) {
    unlock(f);
    return over && f->waiting == MAX_FAULTING_THREADS;
  }
  unsigned i = (unsigned)at;
  bool known = i < f->waiting && f->waits[i].page == fault->page && !f->waits[i].turn;
  if (known) {
    over |= f->waits[i].over;
    f->waits[i].read = fault->read;
  } else if (!over && most) {
    note(f, i, (struct device_wait){.thread = fault->thread, .page = fault->page, .write = fault->write, .read = fault->read, .deadline = nanos() + most});
  }
  if (over && i < f->waiting) forget(f, i);
  note_first(f);
  unlock(f);
  if (!known) rouse(f->p); // who is idle has a time to look at
  return over;
}

bool waits_for_turn(struct faulting *f, const struct fault *fault) {
  lock(f);
  int i = wait_of(f, fault);
  if (i >= 0) note(f, (unsigned)i, (struct device_wait){.thread = fault->thread, .page = fault->page, .write = fault->write, .read = fault->read, .deadline = nanos() + LOOK_NANOS, .turn = true});
  note_first(f);
  unlock(f);
  if (i >= 0) rouse(f->p);
  return i >= 0;
}

void waits_no_more(struct faulting *f, const struct fault *fault) {
  lock(f);
  for (unsigned i = 0; i < f->waiting; i++) {
    if (f->waits[i].thread == fault->thread && f->waits[i].read <= fault->read) forget(f, i--);
  }
  note_first(f);
  unlock(f);
}

HMM_API int hmm_wake_device(struct hmm_pager *p, uint64_t first, uint64_t end) {
  for (struct faulting *f = p->faulting.first; f; f = f->next) {
    lock(f);
    forget_ended(f, first, end);
    unlock(f);
    wake_there(f, first, end);
  }
  return 0;
}

uint64_t next_wait_over(struct hmm_pager *p) {
  uint64_t first = 0;
  for (struct faulting *f = p->faulting.first; f; f = f->next) {
    uint64_t over = atomic_load(&f->wait_over);
    if (over && (!first || over < first)) first = over;
  }
  return first;
}

static void end_waits_of(struct faulting *f) {
  lock(f);
  forget_ended(f, 0, f->p->config.page_count);
  for (unsigned i = 0; i < f->waiting; i++) {
    struct device_wait *w = &f->waits[i];
    if (w->over || nanos() < w->deadline) continue;
    w->over = !w->turn;
    uint64_t page = w->page;
    if (w->turn) forget(f, i--);
    wake_there(f, page, page + 1);
  }
  note_first(f);
  unlock(f);
}

void end_waits(struct hmm_pager *p) {
  for (struct faulting *f = p->faulting.first; f; f = f->next) end_waits_of(f);
}
