// device_wait.c - threads of a faulting device that wait for a view to close (faulting.h). Nobody knows when that will be, so they wait as long as a touch may: then the access is refused, as if there
// were no memory for the page, and the page stays as it is. The launch ends with the first such page, so its kernel waits for no other.
//
// A wait begins when a fault meets a view and ends with a later fault of its thread that does not, when the view closes, or with the kernel. Whoever is idle in the crew wakes a thread whose time is up; the
// access is made again then, and meets the end of its wait here.
#define _GNU_SOURCE
#include "faulting.h"

// The lock is held, here and in what follows.
static void forget(struct faulting *f, unsigned i) { f->waits[i] = f->waits[--f->waiting]; }

static void note_first(struct faulting *f) {
  uint64_t first = 0;
  for (unsigned i = 0; i < f->waiting; i++) {
    if (!f->waits[i].over && (!first || f->waits[i].deadline < first)) first = f->waits[i].deadline;
  }
  atomic_store(&f->wait_over, first);
}

static void forget_ended(struct hmm_pager *p, uint64_t first, uint64_t end) {
  struct faulting *f = p->faulting;
  for (unsigned i = 0; i < f->waiting; i++) {
    uint64_t page = f->waits[i].page;
    if (page >= first && page < end && !pinned_against(load_word(p, page), f->waits[i].write)) forget(f, i--);
  }
  note_first(f);
}

// ----

void forget_waits(struct faulting *f) {
  f->waiting = 0;
  note_first(f);
}

bool waits_too_long(struct hmm_pager *p, const struct fault *fault) {
  struct faulting *f = p->faulting;
  unsigned i = 0;
  pthread_mutex_lock(&f->lock);
  bool over = f->running && f->violation.kind == HMM_HELD; // its launch ends with one such page, and must not wait as long for each
  while (i < f->waiting && f->waits[i].thread != fault->thread) i++;
  if (i < f->waiting && f->waits[i].read > fault->read) { // its thread waits elsewhere by now
    pthread_mutex_unlock(&f->lock);
    return false;
  }
  bool known = i < f->waiting && f->waits[i].page == fault->page;
  if (known) {
    over |= f->waits[i].over;
    f->waits[i].read = fault->read;
  } else if (!over && i < MAX_FAULTING_THREADS && p->config.touch_nanos) {
    f->waits[i] = (struct device_wait){.thread = fault->thread, .page = fault->page, .write = fault->write, .read = fault->read, .deadline = nanos() + p->config.touch_nanos};
    if (i == f->waiting) f->waiting++;
  }
  if (over && i < f->waiting) forget(f, i);
  note_first(f);
  pthread_mutex_unlock(&f->lock);
  if (!known) rouse(p); // who is idle has a time to look at
  return over;
}

void waits_no_more(struct hmm_pager *p, const struct fault *fault) {
  struct faulting *f = p->faulting;
  pthread_mutex_lock(&f->lock);
  for (unsigned i = 0; i < f->waiting; i++) {
    if (f->waits[i].thread == fault->thread && f->waits[i].read <= fault->read) forget(f, i--);
  }
  note_first(f);
  pthread_mutex_unlock(&f->lock);
}

HMM_API int hmm_wake_device(struct hmm_pager *p, uint64_t first, uint64_t end) {
  if (!p->faulting) return 0;
  pthread_mutex_lock(&p->faulting->lock);
  forget_ended(p, first, end);
  pthread_mutex_unlock(&p->faulting->lock);
  wake_there(p, first, end);
  return 0;
}

uint64_t next_wait_over(struct hmm_pager *p) { return p->faulting ? atomic_load(&p->faulting->wait_over) : 0; }

void end_waits(struct hmm_pager *p) {
  struct faulting *f = p->faulting;
  if (!f) return;
  pthread_mutex_lock(&f->lock);
  forget_ended(p, 0, p->config.page_count);
  for (unsigned i = 0; i < f->waiting; i++) {
    if (f->waits[i].over || nanos() < f->waits[i].deadline) continue;
    f->waits[i].over = true;
    wake_there(p, f->waits[i].page, f->waits[i].page + 1);
  }
  note_first(f);
  pthread_mutex_unlock(&f->lock);
}
