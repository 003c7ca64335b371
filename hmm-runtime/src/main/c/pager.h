// pager.h - one heap, put together from the parts of its rooms. Each room's header says what its lock guards.
//
// Locks are leaves, but for `insist_lock`, which is taken first and held until that launch is enqueued, and `callback_lock` (inflight.c), which is held over the lock of launches; no fault ever
// takes either. No other lock is held over an OpenCL call or a wait for a device, except that of a staging lane, which guards just that; from device to device two of them, taken in the order of
// their devices.
#ifndef HMM_PAGER_PARTS_H
#define HMM_PAGER_PARTS_H

#include "answers.h"
#include "block.h"
#include "cl.h"
#include "claim.h"
#include "crew.h"
#include "device_fault.h"
#include "dma.h"
#include "forbid.h"
#include "hmm_pager.h"
#include "inflight.h"
#include "mappings.h"
#include "notice.h"
#include "record.h"
#include "sharing.h"
#include "signals.h"
#include "steps.h"
#include "stream.h"
#include "trap.h"
#include "uffd.h"

struct hmm_pager {
  struct hmm_config config;
  unsigned place; // among the pagers of the process
  _Atomic uint64_t *words;
  _Atomic uint64_t *changes; // by block of pages: see block.h
  unsigned block_shift;      // log2 of its pages
  const _Atomic uint8_t *region_starts;
  _Atomic uint64_t *backed; // a bit for each page
  uint64_t page_bytes;
  _Atomic uint64_t counts[HMM_COUNTERS];

  struct device devices[HMM_MAX_DEVICES];
  unsigned device_count;
  struct cl cl;
  struct stuck stuck;
  struct sharing sharing;
  struct inflight inflight;
  pthread_mutex_t insist_lock; // one launch at a time insists (gate.c)
  struct settling settling;
  struct forbiddings forbiddings;
  struct faulting_devices faulting;

  const struct trap *trap;
  struct uffd uffd;
  struct answers answers;
  struct mappings mappings;   // of the SIGSEGV trap
  struct requests *requests;  // of the traps whose touches are signals
  struct signals signals;
  struct crew crew;
  struct streams streams;
  _Atomic uint8_t *habits; // of pages; null if a touch is to bring what it asks for and no more (fault.c)

  struct notices notices;
  struct records records;
  struct steps steps;
};

struct hmm_pager *pager_at(uintptr_t address); // whose program may touch it, or whose kernels, where that is a signal
struct hmm_pager *pager_in(unsigned place); // or null

static inline void count(struct hmm_pager *p, enum hmm_counter c, uint64_t n) {
  if (n) atomic_fetch_add_explicit(&p->counts[c], n, memory_order_relaxed);
}

// ---- pages

static inline char *app_of(const struct hmm_pager *p, uint64_t page) {
  return (char *)(uintptr_t)(p->config.app + (page << p->config.page_shift));
}
static inline char *alias_of(const struct hmm_pager *p, uint64_t page) {
  return (char *)(uintptr_t)(p->config.alias + (page << p->config.page_shift));
}

// The page whose bytes begin there.
static inline uint64_t page_of_alias(const struct hmm_pager *p, const char *host) { return (uint64_t)(host - alias_of(p, 0)) >> p->config.page_shift; }
static inline struct block block_of(const struct hmm_pager *p, uint64_t page) {
  uint64_t first = page >> p->block_shift << p->block_shift, pages = 1ULL << p->block_shift;
  return (struct block){&p->changes[page >> p->block_shift], &p->words[first], pages < p->config.page_count - first ? pages : p->config.page_count - first};
}
static inline uint64_t load_word(const struct hmm_pager *p, uint64_t page) {
  struct block b = block_of(p, page);
  return word_in_block(&b, page & ((1ULL << p->block_shift) - 1));
}
static inline bool change_word(struct hmm_pager *p, uint64_t page, uint64_t *expected, uint64_t next) {
  struct block b = block_of(p, page);
  return change_in_block(&b, page & ((1ULL << p->block_shift) - 1), expected, next);
}
static inline bool is_written(const struct hmm_pager *p, uint64_t page) { return atomic_load(&p->changes[page >> p->block_shift]) & BLOCK_WRITTEN; }
static inline uint64_t next_block(const struct hmm_pager *p, uint64_t page) { return (page | ((1ULL << p->block_shift) - 1)) + 1; }
// Of a range, the next stretch from `r->first` on that lies in blocks which are BLOCK_WRITTEN: others have nothing that could be taken away. Returns false if there is none
// before `end`.
static inline bool next_written(const struct hmm_pager *p, struct page_range *r, uint64_t end) {
  while (r->first < end && !is_written(p, r->first)) r->first = next_block(p, r->first);
  r->end = r->first;
  while (r->end < end && is_written(p, r->end)) r->end = next_block(p, r->end);
  if (r->end > end) r->end = end;
  return r->first < end;
}
static inline bool is_backed(const struct hmm_pager *p, uint64_t page) { return atomic_load_explicit(&p->backed[page / 64], memory_order_relaxed) >> page % 64 & 1; }

// ---- what costs one look when nobody wants it

static inline void step(struct hmm_pager *p, enum hmm_step s) {
  if (atomic_load_explicit(&p->steps.armed, memory_order_relaxed)) step_slow(p, s);
}

// `r` if records are wanted, else null.
static inline struct hmm_record *new_record(struct hmm_pager *p, struct hmm_record *r, enum hmm_record_kind kind, uint64_t first, bool write) {
  return atomic_load_explicit(&p->records.on, memory_order_relaxed) && start_record(p, r, kind, first, write) ? r : NULL;
}

#endif
