// device_turn.c - whose turn it is, where threads of several faulting devices want the same pages (faulting.h).
//
// Any device's fault may take a page from another device: nobody waits for a kernel. Left at that, two kernels could take a page from each other for ever, before the instruction gets through for which
// it came. So a thread keeps what it was given until it has run on, but only against threads that are younger: a thread is as old as its oldest fault for the instruction that it is at. The older takes
// what it needs, the younger waits for it, so nobody waits in a circle; who waits gets no younger, so it is the oldest one day, and has then all that it needs at once.
//
// Nobody tells us that an instruction got through. But a thread that sleeps in a fault does not run, and goes from its fault through the instruction within some microseconds of its own time: so it is at
// the next one when it has run for longer than that since its last fault, however long it has waited for a processor. A thread that runs no more, since its kernel has ended say, keeps what it has for
// `longest_nanos` at most.
//
// Eviction needs none of this: who was just given a page is no victim. And the host takes what it wants, as it always does.
#define _GNU_SOURCE
#include "faulting.h"
#include "trap.h"

#define THROUGH_NANOS 50000ULL

static _Atomic uint64_t longest_nanos = 100000000ULL;

uint64_t keep_at_most(uint64_t nanos) { return atomic_exchange(&longest_nanos, nanos); }

// How long a thread of this process has run so far; 0 if that cannot be known.
static uint64_t ran_for(uint32_t thread) {
  struct timespec t;
  clockid_t clock = (clockid_t)(~thread << 3 | 6); // as pthread_getcpuclockid makes it: a thread's own, as the scheduler counts it
  return thread && !clock_gettime(clock, &t) ? (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec : 0;
}

static bool is_through(const struct holder *h) {
  uint64_t ran = ran_for(h->thread);
  return !ran || ran - h->ran > THROUGH_NANOS || nanos() - h->given > longest_nanos;
}

static bool has_others(const struct faulting *f) { return f->next || f->p->faulting.first != f; }

void note_turn(struct faulting *f, struct holder *h, bool anew) {
  if (!has_others(f)) return;
  if (anew || is_through(h)) h->series = tick(f->p);
  h->given = nanos();
  h->ran = ran_for(h->thread);
}

static bool holds(const struct holder *h, uint64_t page) {
  for (unsigned i = 0; i < PAGES_OF_AN_INSTRUCTION; i++) {
    if (h->pages[i] == page + 1) return true;
  }
  return false;
}

static const struct holder *holder_of(const struct faulting *f, uint32_t thread) {
  for (unsigned i = 0; i < f->holder_count; i++) {
    if (f->holders[i].thread == thread) return &f->holders[i];
  }
  return NULL;
}

// Whether a thread of that device keeps a page from another one. Devices may share their threads, of which each is at one place only.
static bool keeps(const struct faulting *f, uint64_t page, const struct holder *from) {
  if (!f->pages[page].holds) return false;
  for (unsigned i = 0; i < f->holder_count; i++) {
    const struct holder *h = &f->holders[i];
    if (h->series < from->series && h->thread != from->thread && holds(h, page) && !is_through(h)) return true;
  }
  return false;
}

bool is_kept(struct faulting *f, uint64_t page, const struct fault *fault, uint64_t w) {
  if (!others_of(f, w) || (!fault->write && word_state(w) != DEVICE)) return false;
  lock(f);
  const struct holder *own = holder_of(f, fault->thread);
  bool kept = false;
  for (const struct faulting *other = f->p->faulting.first; other && own && !kept; other = other->next) {
    kept = other != f && device_has(other, w) && keeps(other, page, own);
  }
  unlock(f);
  return kept;
}
