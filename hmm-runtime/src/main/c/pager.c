// pager.c - opening and closing a heap, which heaps there are, and counters.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crew.h"
#include "device_fault.h"
#include "dma.h"
#include "faulting.h"
#include "inflight.h"
#include "kernel_page.h"
#include "pager.h"
#include "sharing.h"
#include "signals.h"
#include "trap.h"

static const struct trap *const traps[HMM_RUNGS] = {&uffd_trap, &uffd_trap, &uffd_trap, &sigsegv_trap, &sigbus_trap, &checked_trap};
static _Atomic(struct hmm_pager *) pagers[HMM_MAX_PAGERS]; // for the signal handler

HMM_API int hmm_abi(uint64_t *numbers, int capacity) {
  const uint64_t all[] = {HMM_ABI, EMPTY, HOST, SHARED, DEVICE, TO_DEVICE, TO_HOST, POISONED, UNMAPPED, PEERS, DEVICE_SHIFT, SHARERS_MASK, WRITE_INTENT, DENY_READ,
                          DENY_WRITE, READ_PINS_SHIFT, WRITE_PINS_SHIFT, MAX_PINS, MARKED_READ, VERSION_SHIFT, word_of_kind(BLOCK_WITHOUT_REGION), word_of_kind(BLOCK_READ_ONLY),
                          word_of_kind(BLOCK_WITHOUT_ACCESS), BLOCK_WRITTEN, BLOCK_IN_WRITING, ONE_CHANGE, HMM_MAX_DEVICES, HMM_CL_COUNT, HMM_COUNTERS, HMM_STEPS,
                          sizeof(struct hmm_config), sizeof(struct hmm_device_config), sizeof(struct hmm_launch), sizeof(struct hmm_failure), sizeof(struct hmm_use), sizeof(struct hmm_record),
                          sizeof(struct hmm_notice), sizeof(struct hmm_failed_launch), sizeof(struct hmm_table), sizeof(struct hmm_argument_copy), sizeof(struct hmm_violation),
                          sizeof(struct hmm_overwrite), sizeof(struct hmm_crossing), sizeof(struct hmm_moved), sizeof(struct hmm_gather)};
  int n = (int)(sizeof all / sizeof *all);
  for (int i = 0; i < n && i < capacity; i++) numbers[i] = all[i];
  return n;
}

struct hmm_pager *pager_at(uintptr_t address) {
  for (int i = 0; i < HMM_MAX_PAGERS; i++) {
    struct hmm_pager *p = atomic_load(&pagers[i]);
    uint64_t at;
    if (p && address - p->config.app < p->config.page_count << p->config.page_shift) return p;
    if (p && p->faulting.first && p->trap->range->by_signal && device_at(p, address, &at)) return p;
  }
  return NULL;
}

struct hmm_pager *pager_in(unsigned place) { return atomic_load(&pagers[place]); }

static int check(const struct hmm_config *c) {
  if (c->abi != HMM_ABI || c->page_shift > 21 || 1ULL << c->page_shift < KERNEL_PAGE || !c->page_count || !c->words || !c->changes || !c->region_starts || !c->backed) return -EINVAL;
  if (c->app & ((1ULL << c->page_shift) - 1) || c->alias & ((1ULL << c->page_shift) - 1)) return -EINVAL; // the answer would go to the wrong page
  return c->rung >= HMM_RUNGS ? -EINVAL : 0;
}

static int enlist(struct hmm_pager *p) {
  for (int i = 0; i < HMM_MAX_PAGERS; i++) {
    struct hmm_pager *none = NULL;
    p->place = (unsigned)i; // before it can be found there
    if (atomic_compare_exchange_strong(&pagers[i], &none, p)) return 0;
  }
  return -EUSERS;
}

static void strike_off(struct hmm_pager *p) {
  for (int i = 0; i < HMM_MAX_PAGERS; i++) {
    struct hmm_pager *it = p;
    if (atomic_compare_exchange_strong(&pagers[i], &it, NULL)) return;
  }
}

static void init_locks(struct hmm_pager *p) {
  pthread_mutex_init(&p->inflight.lock, NULL);
  pthread_mutex_init(&p->notices.lock, NULL);
  pthread_mutex_init(&p->insist_lock, NULL);
  pthread_mutex_init(&p->sharing.lock, NULL);
  pthread_mutex_init(&p->stuck.lock, NULL);
  pthread_mutex_init(&p->settling.lock, NULL);
  pthread_mutex_init(&p->crew.lock, NULL);
  pthread_mutex_init(&p->streams.lock, NULL);
  pthread_mutex_init(&p->answers.lock, NULL);
  pthread_mutex_init(&p->forbiddings.lock, NULL);
  pthread_mutex_init(&p->records.lock, NULL);
  pthread_mutex_init(&p->faulting.lock, NULL);
  pthread_mutex_init(&p->steps.lock, NULL);
}

static void forget_habits(struct hmm_pager *p) {
  if (p->habits) munmap((void *)p->habits, (size_t)p->config.page_count);
}

HMM_API int hmm_open(const struct hmm_config *config, struct hmm_pager **opened) {
  int result = check(config);
  if (result) return result;
  struct hmm_pager *p = calloc(1, sizeof *p);
  if (!p) return -ENOMEM;
  p->config = *config;
  memcpy(&p->cl, config->cl, sizeof p->cl);
  p->signals.process = getpid();
  p->words = (_Atomic uint64_t *)(uintptr_t)config->words;
  p->changes = (_Atomic uint64_t *)(uintptr_t)config->changes;
  p->block_shift = BLOCK_SHIFT - (unsigned)config->page_shift;
  p->region_starts = (const _Atomic uint8_t *)(uintptr_t)config->region_starts;
  p->backed = (_Atomic uint64_t *)(uintptr_t)config->backed;
  p->page_bytes = 1ULL << config->page_shift;
  p->trap = traps[config->rung];
  init_locks(p);
  if (config->ahead_bytes > p->page_bytes) {
    void *habits = mmap(NULL, (size_t)config->page_count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    p->habits = habits == MAP_FAILED ? NULL : habits; // it goes without
  }
  if (p->trap->signal && (result = install_signal_handler(p->trap->signal))) goto free_pager;
  if ((result = p->trap->open(p))) goto free_pager;
  if ((result = enlist(p))) goto close_trap;
  if (p->trap->wait && (result = start_crew(p))) goto strike;
  *opened = p;
  return 0;
strike:
  strike_off(p);
close_trap:
  p->trap->close(p);
free_pager:
  forget_habits(p);
  free(p);
  return result;
}

HMM_API int hmm_add_device(struct hmm_pager *p, const struct hmm_device_config *config) {
  if (p->device_count == HMM_MAX_DEVICES) return -EMFILE;
  struct device *d = &p->devices[p->device_count];
  d->config = *config;
  int status = dma_open(p, d);
  if (status) return -status;
  p->device_count++;
  return 0;
}

HMM_API int hmm_close(struct hmm_pager *p) {
  hmm_await_all(p);
  dismiss(p);
  strike_off(p);
  await_handlers(p);
  await_callbacks();
  int result = p->trap->close(p);
  close_faulting(p);
  forget_launches(p);
  int busy = dma_end_stuck(p); // before the memory goes that they write to
  for (unsigned i = 0; i < p->device_count; i++) dma_close(p, &p->devices[i]);
  sharing_close(p);
  free(atomic_load(&p->records.ring));
  forget_habits(p);
  free(p);
  return busy ? busy : result;
}

HMM_API int hmm_take_counts(struct hmm_pager *p, uint64_t *counts, int capacity) {
  note_ends(p, (struct page_range){0, p->config.page_count}); // a kernel that failed has poisoned pages
  for (int i = 0; i < HMM_COUNTERS && i < capacity; i++) counts[i] = atomic_exchange(&p->counts[i], 0);
  return HMM_COUNTERS;
}
