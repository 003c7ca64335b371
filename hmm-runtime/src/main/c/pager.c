// pager.c - opening and closing, the crew, and what tests look at.
//
// The crew are the threads that serve faults, one of which leads: it alone waits for faults, and serves what it reads. Whoever is about to do something long (wait for a
// launch, copy many pages) first makes another the leader, and a new thread if there is none. So a fault never stands behind one that waits, and a single fault costs
// no hand-over.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "faulting.h"
#include "kernel_page.h"
#include "turns.h"

#define IDLE_CREW 4
#define ANSWER_NANOS 50000000ULL
#define CREW_STACK_BYTES (1U << 20) // OpenCL drivers are called on it

static const struct trap *const traps[HMM_RUNGS] = {&uffd_trap, &uffd_trap, &uffd_trap, &sigsegv_trap, &sigbus_trap, &checked_trap};
static _Atomic(struct hmm_pager *) pagers[HMM_MAX_PAGERS]; // for the signal handler
static _Thread_local bool leads;
static _Thread_local struct { // faults that this thread has read and not begun to serve
  const struct fault *faults;
  int count;
} rest;

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
    if (p && p->faulting && p->trap->range->by_signal && device_at(p, address, &at)) return p;
  }
  return NULL;
}

struct hmm_pager *pager_in(unsigned place) { return atomic_load(&pagers[place]); }

// ---- the crew

static int join_crew(struct hmm_pager *p);

static void await_stop(struct hmm_pager *p) { // nothing to serve any more
  pthread_mutex_lock(&p->crew_lock);
  while (!p->stopping) condition_wait(&p->crew_changed, &p->crew_lock, 0);
  pthread_mutex_unlock(&p->crew_lock);
}

static void lead(struct hmm_pager *p) {
  struct fault faults[FAULTS_AT_ONCE];
  leads = true;
  while (leads) {
    int n = p->trap->wait(p, faults, FAULTS_AT_ONCE);
    if (n < 0) await_stop(p);
    bool stopping = atomic_load(&p->stopping); // set before the ring
    if (n > 0) serve(p, faults, n);
    if (stopping) break; // the ring may have come together with the faults, and comes only once
  }
}

// Until there is something to do. Answers that nobody has heard for a while are ended by whoever is idle, and waits of kernels that have lasted too long; there is somebody, since
// whoever gives an answer, or lets a kernel wait, hands on the lead.
static void stand_by(struct hmm_pager *p) {
  uint64_t until = answers_stand(p) ? nanos() + ANSWER_NANOS : 0, over = next_wait_over(p);
  if (over && (!until || over < until)) until = over;
  if (!condition_wait(&p->crew_changed, &p->crew_lock, until)) return;
  pthread_mutex_unlock(&p->crew_lock);
  if (answers_stand(p)) end_answers(p, 0, p->config.page_count);
  end_waits(p);
  pthread_mutex_lock(&p->crew_lock);
}

void rouse(struct hmm_pager *p) {
  pthread_mutex_lock(&p->crew_lock);
  condition_broadcast(&p->crew_changed);
  pthread_mutex_unlock(&p->crew_lock);
}

static void *crew_main(void *arg) {
  struct hmm_pager *p = arg;
  ask_for_short_turns(); // who waits for the crew is a thread of the program, and with it the JVM where that wants to stop all of them
  pthread_mutex_lock(&p->crew_lock);
  while (true) {
    while (p->led && !p->ahead_count && !p->stopping && p->idle < IDLE_CREW) {
      p->idle++;
      stand_by(p);
      p->idle--;
    }
    if (p->stopping) break;
    if (p->led && p->ahead_count) {
      pthread_mutex_unlock(&p->crew_lock);
      work_ahead(p);
      pthread_mutex_lock(&p->crew_lock);
      continue;
    }
    if (p->led) break; // enough others are idle
    p->led = true;
    pthread_mutex_unlock(&p->crew_lock);
    lead(p);
    pthread_mutex_lock(&p->crew_lock);
    if (leads) p->led = false;
    leads = false;
  }
  p->crew--;
  condition_broadcast(&p->crew_changed);
  pthread_mutex_unlock(&p->crew_lock);
  return NULL;
}

sigset_t sent_by_others(void) {
  static const int of_itself[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
  sigset_t others;
  sigfillset(&others);
  for (size_t i = 0; i < sizeof of_itself / sizeof *of_itself; i++) sigdelset(&others, of_itself[i]);
  return others;
}

int start_own_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*main)(void *), void *arg) {
  sigset_t others = sent_by_others(), before;
  int error = pthread_sigmask(SIG_BLOCK, &others, &before);
  if (error) return -error;
  error = pthread_create(thread, attributes, main, arg);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -error;
}

static int join_crew(struct hmm_pager *p) {
  pthread_attr_t attributes;
  pthread_t thread;
  int error = pthread_attr_init(&attributes);
  if (error) return -error;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, CREW_STACK_BYTES);
  p->crew++;
  int result = start_own_thread(&thread, &attributes, crew_main, p);
  if (result) p->crew--;
  pthread_attr_destroy(&attributes);
  return result;
}

void share_ahead(struct hmm_pager *p, struct ahead a) {
  pthread_mutex_lock(&p->crew_lock);
  bool room = p->ahead_count < AHEADS;
  if (room) p->aheads[(p->ahead_first + p->ahead_count++) % AHEADS] = a;
  if (room && p->idle) condition_signal(&p->crew_changed);
  else if (room && p->crew <= IDLE_CREW) join_crew(p); // if that fails, whoever shares does it all
  pthread_mutex_unlock(&p->crew_lock);
  if (!room) bring_ahead(p, &a);
}

static bool take_ahead(struct hmm_pager *p, struct ahead *a) {
  pthread_mutex_lock(&p->crew_lock);
  bool any = p->ahead_count && !p->stopping;
  if (any) {
    *a = p->aheads[p->ahead_first];
    p->ahead_first = (p->ahead_first + 1) % AHEADS;
    p->ahead_count--;
  }
  pthread_mutex_unlock(&p->crew_lock);
  return any;
}

void work_ahead(struct hmm_pager *p) {
  promote(p); // faults must not wait for what nobody waits for
  struct ahead a;
  while (take_ahead(p, &a)) bring_ahead(p, &a);
}

int set_rest(const struct fault *faults, int n) {
  int left = rest.count;
  rest.faults = faults;
  rest.count = n;
  return left;
}

void promote(struct hmm_pager *p) {
  for (int i = 0; i < rest.count; i++) p->trap->put_back(p, &rest.faults[i]);
  rest.count = 0;
  if (!leads) return;
  pthread_mutex_lock(&p->crew_lock);
  if (p->stopping || p->idle || !join_crew(p)) { // without a successor it goes on leading, after what it is about to do
    leads = false;
    p->led = false;
    condition_signal(&p->crew_changed);
  }
  pthread_mutex_unlock(&p->crew_lock);
}

static void dismiss(struct hmm_pager *p) {
  pthread_mutex_lock(&p->crew_lock);
  p->stopping = true;
  condition_broadcast(&p->crew_changed);
  pthread_mutex_unlock(&p->crew_lock);
  if (p->trap->ring) p->trap->ring(p);
  pthread_mutex_lock(&p->crew_lock);
  while (p->crew) condition_wait(&p->crew_changed, &p->crew_lock, 0);
  pthread_mutex_unlock(&p->crew_lock);
}

// ---- waiting for claims

void wait_settled(struct hmm_pager *p, uint64_t page) {
  uint64_t seen = load_word(p, page);
  if (word_state(seen) != TO_HOST) return;
  promote(p);
  atomic_fetch_add(&p->settle_waiters, 1); // before looking again: whoever settles does so before it looks for waiters
  pthread_mutex_lock(&p->settle_lock);
  while (true) {
    uint64_t w = load_word(p, page);
    if (word_state(w) != TO_HOST || !same_version(w, seen)) break;
    condition_wait(&p->settle_changed, &p->settle_lock, 0);
  }
  pthread_mutex_unlock(&p->settle_lock);
  atomic_fetch_sub(&p->settle_waiters, 1);
}

void settled(struct hmm_pager *p) {
  if (!atomic_load(&p->settle_waiters)) return;
  pthread_mutex_lock(&p->settle_lock);
  condition_broadcast(&p->settle_changed);
  pthread_mutex_unlock(&p->settle_lock);
}

// ---- opening and closing

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
  pthread_mutex_init(&p->launch_lock, NULL);
  pthread_mutex_init(&p->notice_lock, NULL);
  pthread_mutex_init(&p->insist_lock, NULL);
  pthread_mutex_init(&p->sharing.lock, NULL);
  pthread_mutex_init(&p->stuck_lock, NULL);
  pthread_mutex_init(&p->settle_lock, NULL);
  pthread_mutex_init(&p->crew_lock, NULL);
  pthread_mutex_init(&p->stream_lock, NULL);
  pthread_mutex_init(&p->answers.lock, NULL);
  pthread_mutex_init(&p->forbid_lock, NULL);
  pthread_mutex_init(&p->record_lock, NULL);
  pthread_mutex_init(&p->faulting_lock, NULL);
  pthread_mutex_init(&p->step_lock, NULL);
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
  p->process = getpid();
  p->words = (_Atomic uint64_t *)(uintptr_t)config->words;
  p->changes = (_Atomic uint64_t *)(uintptr_t)config->changes;
  p->block_shift = BLOCK_SHIFT - (unsigned)config->page_shift;
  p->region_starts = (const _Atomic uint8_t *)(uintptr_t)config->region_starts;
  p->backed = (_Atomic uint8_t *)(uintptr_t)config->backed;
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
  pthread_mutex_lock(&p->crew_lock);
  result = p->trap->wait ? join_crew(p) : 0;
  pthread_mutex_unlock(&p->crew_lock);
  if (result) goto strike;
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
  for (unsigned i = 0; i < MAX_LAUNCHES; i++) {
    struct launch *l = &p->launches[i];
    if (l->event) p->cl.release_event(l->event);
    if (l->uses != l->inline_uses) free(l->uses);
  }
  int busy = dma_end_stuck(p); // before the memory goes that they write to
  for (unsigned i = 0; i < p->device_count; i++) dma_close(p, &p->devices[i]);
  sharing_close(p);
  free(atomic_load(&p->ring));
  forget_habits(p);
  free(p);
  return busy ? busy : result;
}

HMM_API int hmm_take_counts(struct hmm_pager *p, uint64_t *counts, int capacity) {
  for (int i = 0; i < HMM_COUNTERS && i < capacity; i++) counts[i] = atomic_exchange(&p->counts[i], 0);
  return HMM_COUNTERS;
}

// ---- steps for tests

void step_slow(struct hmm_pager *p, enum hmm_step s) {
  bool armed;
  pthread_mutex_lock(&p->step_lock);
  armed = p->steps[s].armed;
  pthread_mutex_unlock(&p->step_lock);
  if (!armed) return;
  promote(p);
  pthread_mutex_lock(&p->step_lock);
  p->steps[s].stopped++;
  condition_broadcast(&p->step_changed);
  while (p->steps[s].armed) condition_wait(&p->step_changed, &p->step_lock, 0);
  p->steps[s].stopped--;
  pthread_mutex_unlock(&p->step_lock);
}

HMM_API int hmm_step_arm(struct hmm_pager *p, uint64_t s, uint64_t armed) {
  if (s >= HMM_STEPS) return -EINVAL;
  pthread_mutex_lock(&p->step_lock);
  if (p->steps[s].armed != (bool)armed) atomic_fetch_add(&p->steps_armed, armed ? 1 : -1);
  p->steps[s].armed = armed;
  condition_broadcast(&p->step_changed);
  pthread_mutex_unlock(&p->step_lock);
  return 0;
}

HMM_API int hmm_step_await(struct hmm_pager *p, uint64_t s, uint64_t millis) {
  if (s >= HMM_STEPS) return -EINVAL;
  uint64_t until = nanos() + millis * 1000000;
  pthread_mutex_lock(&p->step_lock);
  bool over = false;
  while (!p->steps[s].stopped && !over) over = condition_wait(&p->step_changed, &p->step_lock, until);
  int stopped = p->steps[s].stopped > 0;
  pthread_mutex_unlock(&p->step_lock);
  return stopped;
}
