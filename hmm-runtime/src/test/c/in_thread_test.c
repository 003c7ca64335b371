// in_thread_test.c - touches that the touching thread serves itself (sigbus.c), and those that it hands to the crew.
#define _GNU_SOURCE
#include "heap.h"
#include "home.h"
#include "inflight.h"
#include "pager.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define P 5
#ifdef __SANITIZE_THREAD__
#define OWN_SIGNALS false // the sanitizer stands between the kernel and our handlers, and runs them with all signals blocked, also SIGBUS
#else
#define OWN_SIGNALS true
#endif

static bool in_thread(const struct shape *shape) { return shape->rung == HMM_UFFD_SIGBUS; }

// Whether the touch since the last call was served by its thread, if there is such a thing.
static void check_served(struct heap *h, bool here) {
  CHECK_EQUAL(counted(h, HMM_FAULTS_READ) + counted(h, HMM_FAULTS_WRITE), 1);
  CHECK_EQUAL(counted(h, HMM_IN_THREAD), here && in_thread(h->shape));
  count_from_now(h);
}

static void what_needs_nobody_is_served_in_the_thread(const struct shape *shape) {
  struct heap *h = open_heap(shape, 32, 1);
  count_from_now(h);
  expect(h, P, 0); // empty
  check_served(h, true);
  put(h, P, 40); // read before
  check_served(h, true);
  put(h, P + 1, 41); // empty
  check_served(h, true);
  CHECK_EQUAL(hmm_forbid(h->pager, P, P + 1, 0), 0);
  expect(h, P, 40); // without a mapping
  CHECK_EQUAL(counted(h, HMM_REMAPPED), 1);
  check_served(h, true);
  CHECK(move_to(h, P, 0, false));
  put(h, P, 42); // shared
  CHECK_EQUAL(counted(h, HMM_UPGRADES), 1);
  check_served(h, true);
  for (int write = 0; write < 2; write++) { // on a device, to which the host may have to send a command
    CHECK(move_to(h, P, 0, true));
    fill_frame(h, 0, P, (unsigned char)(50 + write));
    count_from_now(h);
    if (write) put(h, P, 60);
    else expect(h, P, 50);
    CHECK_EQUAL(h->app[P * PAGE], 50 + write);
    CHECK_EQUAL(state(h, P), write ? HOST : SHARED);
    CHECK_EQUAL(counted(h, HMM_FETCHED), 1);
    check_served(h, shape->way == REACHABLE);
  }
  close_heap(h);
}

// The launch writes two pages. Who touches one of them meanwhile waits in the crew; the other is then only to be copied.
static void what_waits_for_a_launch_is_handed_over(const struct shape *shape) {
  for (int write = 0; write < 2; write++) {
    struct heap *h = open_heap(shape, 32, 1);
    for (uint64_t page = P; page < P + 3; page++) CHECK(move_to(h, page, 0, true));
    for (uint64_t page = P; page < P + 3; page++) fill_frame(h, 0, page, (unsigned char)(20 + page));
    struct stopped_kernel k;
    struct toucher t;
    launch_stopped(h, &k, 0, P, P + 2, true);
    count_from_now(h);
    start_toucher(&t, h, P, write, 30);
    uint64_t counts[HMM_COUNTERS], waits = 0, here = 0;
    AWAIT((hmm_take_counts(h->pager, counts, HMM_COUNTERS), here += counts[HMM_IN_THREAD], waits += counts[HMM_WAITS]));
    CHECK(!t.done && !here);
    expect(h, P + 2, 20 + P + 2); // which it does not use
    let_go(&k);
    join_toucher(&t);
    CHECK_EQUAL(t.error, 0);
    if (!write) CHECK_EQUAL(t.value, 20 + P);
    CHECK_EQUAL(h->app[P * PAGE], 20 + P);
    CHECK_EQUAL(counted(h, HMM_IN_THREAD), in_thread(shape) && shape->way == REACHABLE); // that other page
    count_from_now(h);
    expect(h, P + 1, 20 + P + 1);
    CHECK_EQUAL(counted(h, HMM_IN_THREAD), in_thread(shape) && shape->way == REACHABLE);
    close_heap(h);
  }
}

// Its kernel has ended, and nobody has waited for the event: what the kernel wrote need not be visible yet.
static void an_event_that_nobody_has_waited_for_is_handed_over(const struct shape *shape) {
  struct heap *h = open_heap(shape, 32, 1);
  CHECK(move_to(h, P, 0, true));
  CHECK(move_to(h, P + 1, 0, true));
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, P, P + 2, true);
  void *event = (void *)(uintptr_t)k.launching.request.event;
  count_from_now(h); // which asks about launches
  k.go = true;
  int outcome;
  AWAIT(ask(h->pager, event, &outcome) && outcome <= 0);
  expect(h, P, 0);
  CHECK_EQUAL(counted(h, HMM_IN_THREAD), 0);
  CHECK(fake_waited_for(event));
  expect(h, P + 1, 0);
  CHECK_EQUAL(counted(h, HMM_IN_THREAD), in_thread(shape) && shape->way == REACHABLE);
  CHECK_EQUAL(fake_wait(event), 0);
  close_heap(h);
}

static void what_java_has_claimed_is_handed_over(const struct shape *shape) {
  struct heap *h = open_heap(shape, 32, 1);
  put(h, P, 10);
  CHECK(claim_for(h, P, 0, true));
  forbid_claimed(h, P, true);
  count_from_now(h);
  expect(h, P, 10);
  CHECK_EQUAL(counted(h, HMM_ABORTED), 1);
  CHECK_EQUAL(counted(h, HMM_IN_THREAD), 0);
  close_heap(h);
}

// What has changed between the first look and the claim: the page is given back as it was, and who waits for it goes on.
static void under_the_claim_it_is_looked_at_again(const struct shape *shape) {
  struct heap *h = open_heap(shape, 32, 1);
  const int reached = shape->way == REACHABLE ? 0 : -EAGAIN;
  for (uint64_t page = P; page < P + 4; page++) CHECK(move_to(h, page, 0, true));
  put(h, P + 3, 1);
  CHECK(move_to(h, P + 3, 0, false));
  for (int write = 0; write < 2; write++) {
    struct stopped_kernel k;
    launch_stopped(h, &k, 0, P, P + 1, true);
    CHECK_EQUAL(fetch_here(h->pager, P, write ? TOUCH_WRITE : 0, NULL), -EAGAIN);
    CHECK_EQUAL(word_state(word(h, P)), DEVICE);
    let_go(&k);
    launch_stopped(h, &k, 0, P + 3, P + 4, false);
    CHECK_EQUAL(fetch_here(h->pager, P + 3, write ? TOUCH_WRITE : 0, NULL), write ? -EAGAIN : 0);
    CHECK_EQUAL(word_state(word(h, P + 3)), SHARED);
    let_go(&k);
    CHECK_EQUAL(fetch_here(h->pager, P + 1 + (uint64_t)write, write ? TOUCH_WRITE : 0, NULL), reached);
    CHECK_EQUAL(word_state(word(h, P + 1 + (uint64_t)write)), reached ? DEVICE : write ? HOST : SHARED);
  }
  put(h, P + 4, 1);
  uint64_t w = word(h, P + 4);
  CHECK(claim_for(h, P + 4, 0, true));
  CHECK_EQUAL(fetch_here(h->pager, P + 4, 0, NULL), -EBUSY); // somebody is on his way
  CHECK_EQUAL(word_state(word(h, P + 4)), TO_DEVICE);
  set_word(h, P + 4, w);
  set_word(h, P + 5, word_next(word(h, P + 5), POISONED, 0, 0, 0));
  CHECK_EQUAL(fetch_here(h->pager, P + 5, 0, NULL), -EACCES);
  close_heap(h);
}

static void streams_are_handed_over(const struct shape *shape) {
  struct heap *h = open_heap(shape, 300, 64);
  for (uint64_t page = 0; page < 300; page++) CHECK(move_to(h, page, 0, true));
  for (uint64_t page = 0; page < 300; page++) fill_frame(h, 0, page, (unsigned char)(page % 251));
  count_from_now(h);
  for (uint64_t page = 0; page < 300; page++) expect(h, page, (unsigned char)(page % 251));
  CHECK(counted(h, HMM_AHEAD) > 250);
  CHECK(counted(h, HMM_IN_THREAD) <= 10); // the first, and whoever comes while others of the stream are under way
  close_heap(h);
}

static void an_error_reaches_the_thread(const struct shape *shape) {
  struct heap *h = open_heap(shape, 32, 1);
  unsigned char value = 0;
  put(h, P, 10);
  protect(h, P, 1);
  expect(h, P, 10);
  CHECK(move_to(h, P + 1, 0, true));
  set_word(h, P + 1, word_next(word(h, P + 1), POISONED, 0, 0, 0));
  count_from_now(h);
  for (int round = 0; round < 3; round++) {
    CHECK_EQUAL(touch_write(h, P, 20), SIGBUS);
    CHECK_EQUAL(touch_read(h, P + 1, &value), SIGBUS);
    expect(h, P, 10);
  }
  if (shape->rung >= HMM_SIGSEGV) AWAIT(counted(h, HMM_ERRORS) == 6); // which are counted after the answer; elsewhere one may be heard twice
  protect(h, P, 2);
  put(h, P, 20);
  close_heap(h);
}

// ---- signals of others

static struct heap *handler_heap;
static _Atomic uint64_t handled;

static void touch_in_handler(int signal) {
  (void)signal;
  int saved = errno;
  for (uint64_t page = 0; page < 8; page++) handler_heap->app[page * PAGE + 7]++;
  handled++;
  errno = saved;
}

struct interrupted {
  struct heap *heap;
  _Atomic bool over;
  uint64_t rounds;
};

static void *touch_and_be_interrupted(void *arg) {
  struct interrupted *t = arg;
  errno = 77;
  for (; !t->over; t->rounds++) {
    for (uint64_t page = 0; page < 8; page++) t->heap->app[page * PAGE + 9]++;
  }
  CHECK_EQUAL(errno, 77);
  return NULL;
}

// A handler that touches the pages that the thread is just serving would wait for ever for what its own thread has claimed.
static void a_signal_handler_touches_as_well(const struct shape *shape) {
  if (!OWN_SIGNALS) return;
  struct heap *h = handler_heap = open_heap(shape, 8, 1);
  struct sigaction before, action = {.sa_handler = touch_in_handler};
  CHECK(!sigaction(SIGUSR1, &action, &before));
  handled = 0;
  CHECK(!raise(SIGUSR1));
  CHECK_EQUAL(handled, 1);
  struct interrupted t = {.heap = h};
  pthread_t thread = start_thread(touch_and_be_interrupted, &t);
  for (int round = 0; round < (shape->quick ? 600 : 3000); round++) {
    uint64_t before_it = handled;
    for (uint64_t page = 0; page < 8; page++) {
      move_to(h, page, 0, round % 2);
      pthread_kill(thread, SIGUSR1);
    }
    if (round % 8 == 0) AWAIT(handled > before_it);
  }
  t.over = true;
  pthread_join(thread, NULL);
  sigaction(SIGUSR1, &before, NULL);
  for (uint64_t page = 0; page < 8; page++) {
    CHECK_EQUAL(h->app[page * PAGE + 7], (unsigned char)handled);
    CHECK_EQUAL(h->app[page * PAGE + 9], (unsigned char)t.rounds);
  }
  close_heap(h);
}

static struct sigaction below_watch;
static sigjmp_buf watched;
static volatile sig_atomic_t watching, seen_blocked;
static void *volatile seen_at;

static void watch(int signal, siginfo_t *info, void *context) {
  sigset_t now;
  pthread_sigmask(SIG_BLOCK, NULL, &now);
  seen_at = info->si_addr;
  seen_blocked = sigismember(&now, SIGUSR1);
  if (watching) siglongjmp(watched, 1);
  below_watch.sa_sigaction(signal, info, context);
}

// What is not ours goes on to the handler that was there before, as if it had come there at once; so do our errors.
static void other_bus_errors_go_on(const struct shape *shape) {
  if (!in_thread(shape) || !OWN_SIGNALS) return;
  close_heap(open_heap(shape, 8, 1));
  struct sigaction action = {.sa_sigaction = watch, .sa_flags = SA_SIGINFO | SA_NODEFER};
  CHECK(!sigaction(SIGBUS, &action, &below_watch));
  struct heap *h = open_heap(shape, 8, 1);
  int file = memfd_create("too-short", MFD_CLOEXEC);
  volatile char *beyond = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
  CHECK(file >= 0 && beyond != MAP_FAILED);
  seen_blocked = 1;
  if (!sigsetjmp(watched, 1)) {
    watching = 1;
    (void)*beyond;
    CHECK(!"served");
  }
  watching = 0;
  CHECK(seen_at == beyond && !seen_blocked);
  put(h, P, 1);
  protect(h, P, 1);
  seen_blocked = 1;
  for (int round = 0; round < 2; round++) CHECK_EQUAL(touch_write(h, P, 2), SIGBUS); // past `watch`, back to us, and on to who was first
  CHECK(seen_at == h->app + P * PAGE + MIDDLE && !seen_blocked);
  AWAIT(counted(h, HMM_ERRORS) == 2); // counted after the answer
  munmap((void *)(uintptr_t)beyond, PAGE);
  close(file);
  close_heap(h);
}

// ---- many

struct runner {
  struct heap *heap;
  uint64_t seed, pages, own;
};

static void *run_about(void *arg) {
  struct runner *r = arg;
  for (int i = 0; i < 2000; i++) {
    r->seed = r->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    volatile unsigned char *at = r->heap->app + (r->seed >> 33) % r->pages * PAGE + 128 + 8 * r->own;
    *(volatile uint64_t *)(volatile void *)at += 1;
  }
  return NULL;
}

// Each counts in places of its own, on pages that all write and that go to devices meanwhile. No count is lost.
static void many_threads_serve_themselves(const struct shape *shape) {
  const uint64_t pages = 24;
  struct heap *h = open_heap(shape, pages, 1);
  struct runner r[12];
  pthread_t threads[12];
  for (uint64_t i = 0; i < 12; i++) {
    r[i] = (struct runner){h, 99 + i, pages, i};
    threads[i] = start_thread(run_about, &r[i]);
  }
  for (uint64_t round = 0; round < 600; round++) move_to(h, round % pages, round % 2 ? 1 : 0, round % 3);
  for (int i = 0; i < 12; i++) pthread_join(threads[i], NULL);
  uint64_t sum = 0;
  for (uint64_t page = 0; page < pages; page++) {
    for (uint64_t i = 0; i < 12; i++) sum += *(volatile uint64_t *)(volatile void *)(h->app + page * PAGE + 128 + 8 * i);
  }
  CHECK_EQUAL(sum, 12 * 2000);
  uint64_t counts[HMM_COUNTERS];
  hmm_take_counts(h->pager, counts, HMM_COUNTERS);
  CHECK_EQUAL(counts[HMM_IN_THREAD] > 0, in_thread(shape));
  close_heap(h);
}

const struct test in_thread_tests[] = {
    {"what_needs_nobody_is_served_in_the_thread", what_needs_nobody_is_served_in_the_thread, NEEDS_TRAP},
    {"what_waits_for_a_launch_is_handed_over", what_waits_for_a_launch_is_handed_over, NEEDS_TRAP},
    {"an_event_that_nobody_has_waited_for_is_handed_over", an_event_that_nobody_has_waited_for_is_handed_over, NEEDS_TRAP},
    {"what_java_has_claimed_is_handed_over", what_java_has_claimed_is_handed_over, NEEDS_TRAP | ONE_WAY},
    {"under_the_claim_it_is_looked_at_again", under_the_claim_it_is_looked_at_again, NEEDS_TRAP},
    {"streams_are_handed_over", streams_are_handed_over, NEEDS_TRAP},
    {"an_error_reaches_the_thread", an_error_reaches_the_thread, NEEDS_TRAP | ONE_WAY},
    {"a_signal_handler_touches_as_well", a_signal_handler_touches_as_well, NEEDS_TRAP},
    {"other_bus_errors_go_on", other_bus_errors_go_on, NEEDS_TRAP | ONE_WAY},
    {"many_threads_serve_themselves", many_threads_serve_themselves, NEEDS_TRAP},
    {0},
};
