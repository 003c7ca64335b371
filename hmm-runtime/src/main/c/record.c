// record.c - records of what was served, from those who serve to the one who looks.
//
// A ring with room for a fixed number. Each place has a turn: who wants to write record number n may do so when the turn of its place is n, and then makes it n + 1, which is what
// the reader waits for; the reader makes it n + RECORDS, the turn of the next writer there. So writers never wait for the reader, nor for each other: a place whose turn
// has not come back means that the ring is full, and the record is lost and counted.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pager.h"
#include "record.h"

#define RECORDS 8192 // a power of two

struct place {
  _Atomic uint64_t turn;
  struct hmm_record record;
};

struct ring {
  _Atomic uint64_t next; // number of the next record to be written
  _Atomic uint64_t lost;
  uint64_t taken; // of the reader, under its lock
  struct place places[RECORDS];
};

bool start_record(struct hmm_pager *p, struct hmm_record *r, enum hmm_record_kind kind, uint64_t first, bool write) {
  atomic_fetch_add(&p->records.open, 1); // before looking again: who ends the records does so before it looks for open ones
  if (!atomic_load(&p->records.on)) {
    atomic_fetch_sub(&p->records.open, 1);
    return false;
  }
  *r = (struct hmm_record){.kind = kind, .first = first, .write = write, .device = -1, .start = nanos()};
  return true;
}

static void put(struct ring *ring, const struct hmm_record *r) {
  uint64_t n = atomic_load_explicit(&ring->next, memory_order_relaxed);
  while (true) {
    struct place *place = &ring->places[n % RECORDS];
    uint64_t turn = atomic_load_explicit(&place->turn, memory_order_acquire); // after the reader has copied what was here
    if (turn == n) {
      if (!atomic_compare_exchange_weak_explicit(&ring->next, &n, n + 1, memory_order_relaxed, memory_order_relaxed)) continue;
      place->record = *r;
      atomic_store_explicit(&place->turn, n + 1, memory_order_release);
      return;
    }
    if (turn < n) { // the record from one round before is still here
      atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
      return;
    }
    n = atomic_load_explicit(&ring->next, memory_order_relaxed);
  }
}

void end_record(struct hmm_pager *p, struct hmm_record *r, int result) {
  if (!r) return;
  r->end = nanos();
  r->result = result;
  r->thread = (uint64_t)syscall(SYS_gettid);
  uint64_t at = r->start; // a step that was left out ended with the one before
  uint64_t *const steps[] = {&r->claimed, &r->waited, &r->copied, &r->mapped};
  for (int i = 0; i < 4; i++) {
    if (*steps[i] < at) *steps[i] = at;
    at = *steps[i];
  }
  struct ring *ring = atomic_load_explicit(&p->records.ring, memory_order_acquire);
  if (ring) put(ring, r);
  atomic_fetch_sub(&p->records.open, 1);
}

void drop_record(struct hmm_pager *p, const struct hmm_record *r) {
  if (r) atomic_fetch_sub(&p->records.open, 1);
}

HMM_API int hmm_end_records(struct hmm_pager *p) {
  atomic_store(&p->records.on, false);
  while (atomic_load(&p->records.open)) nanosleep(&(struct timespec){0, 20000}, NULL); // as long as it takes to serve a fault; once in the life of a heap
  return 0;
}

HMM_API int hmm_record(struct hmm_pager *p, uint64_t on) {
  int result = 0;
  pthread_mutex_lock(&p->records.lock);
  if (on && !atomic_load(&p->records.ring)) {
    struct ring *ring = calloc(1, sizeof *ring);
    for (uint64_t i = 0; ring && i < RECORDS; i++) atomic_init(&ring->places[i].turn, i);
    if (ring) atomic_store_explicit(&p->records.ring, ring, memory_order_release);
    else result = -ENOMEM;
  }
  if (!result) atomic_store(&p->records.on, on != 0);
  pthread_mutex_unlock(&p->records.lock);
  return result;
}

HMM_API int64_t hmm_take_records(struct hmm_pager *p, struct hmm_record *records, uint64_t capacity, uint64_t *lost) {
  int64_t n = 0;
  pthread_mutex_lock(&p->records.lock);
  struct ring *ring = atomic_load_explicit(&p->records.ring, memory_order_acquire);
  while (ring && (uint64_t)n < capacity) {
    struct place *place = &ring->places[ring->taken % RECORDS];
    if (atomic_load_explicit(&place->turn, memory_order_acquire) != ring->taken + 1) break;
    records[n++] = place->record;
    atomic_store_explicit(&place->turn, ring->taken + RECORDS, memory_order_release);
    ring->taken++;
  }
  if (ring && lost) *lost += atomic_exchange_explicit(&ring->lost, 0, memory_order_relaxed);
  pthread_mutex_unlock(&p->records.lock);
  return n;
}
