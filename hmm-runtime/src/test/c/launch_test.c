// launch_test.c - the gate: what it refuses, what it notes, and who waits for a launch.
#define _GNU_SOURCE
#include "heap.h"
#include "inflight.h"
#include "pager.h"

#define PAGES 40

static void refused(struct heap *h, uint64_t first, uint64_t end, bool write, uint64_t missing) {
  struct launching l = {0};
  CHECK_EQUAL(launch(h, &l, 0, first, end, write), 0);
  CHECK_EQUAL(l.request.event, 0);
  CHECK_EQUAL(l.request.missing, missing);
  CHECK_EQUAL(fake_calls_of(HMM_CL_ENQUEUE_KERNEL), 0);
  CHECK_EQUAL(hmm_used(h->pager, 0, NULL, 0), 0);
  CHECK_EQUAL(hmm_launched(h->pager, 0), 0);
}

static void pages_that_are_not_there(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  expect(h, 3, 4); // shared now
  refused(h, 0, 8, true, 3);
  put(h, 3, 4); // the host's
  refused(h, 0, 8, false, 3);
  CHECK(claim_for(h, 3, 0, false)); // on its way
  refused(h, 2, 4, false, 3);
  CHECK_EQUAL(fetch(h, 3, 4, HMM_EXCLUSIVE), 0);
  CHECK(move_to(h, 3, 1, true)); // on the other one
  refused(h, 3, 4, false, 3);
  set_word(h, 3, word_next(0, POISONED, 0, 0, 0));
  refused(h, 3, 4, false, 3);
  CHECK_EQUAL(hmm_discard(h->pager, 3, 4, NULL), 0);
  refused(h, 3, 4, false, 3);
  close_heap(h);
}

static void pages_that_are_pinned_or_protected(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, false);
  struct launching l = {0};
  CHECK_EQUAL(fetch(h, 5, 6, HMM_PIN), 0);
  CHECK_EQUAL(launch(h, &l, 0, 4, 8, false), 0); // both read
  CHECK(l.request.event);
  fake_wait((void *)(uintptr_t)l.request.event);
  close_heap(h);

  h = open_heap_on_device(shape, PAGES, true);
  set_word(h, 5, word_pin(word(h, 5), false));
  refused(h, 4, 8, true, 5);
  unpin(h, 5, false);
  set_word(h, 5, word_pin(word(h, 5), true));
  refused(h, 4, 8, true, 5);
  refused(h, 4, 8, false, 5);
  unpin(h, 5, true);
  protect(h, 5, 1);
  refused(h, 4, 8, true, 5);
  protect(h, 5, 0);
  refused(h, 4, 8, false, 5);
  close_heap(h);
}

static void a_launch_is_noted(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct stopped_kernel k = {0};
  struct hmm_use uses[4];
  launch_stopped(h, &k, 0, 2, 5, true);
  CHECK_EQUAL(hmm_used(h->pager, 0, uses, 4), 1);
  CHECK(uses[0].first == 2 && uses[0].end == 5 && uses[0].writes);
  CHECK_EQUAL(hmm_used(h->pager, 1, uses, 4), 0);
  CHECK_EQUAL(hmm_launched(h->pager, 0), 1);
  CHECK_EQUAL(hmm_await(h->pager, -1, 5, PAGES, 0), 0); // others have nothing to wait for
  CHECK_EQUAL(hmm_await(h->pager, 1, 0, PAGES, 0), 0);
  let_go(&k);
  CHECK_EQUAL(hmm_await(h->pager, 0, 2, 3, 1), 0);
  CHECK_EQUAL(hmm_used(h->pager, 0, uses, 4), 0);
  struct launching l = {.request.clock = 77};
  CHECK_EQUAL(launch(h, &l, 0, 7, 9, false), 0);
  fake_wait((void *)(uintptr_t)l.request.event);
  CHECK_EQUAL(last_use(h, 0, 6), 0);
  CHECK_EQUAL(last_use(h, 0, 7), 77);
  CHECK_EQUAL(last_use(h, 0, 8), 77);
  CHECK_EQUAL(last_use(h, 0, 9), 0);
  close_heap(h);
}

static void more_uses_than_fit_in_line(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct hmm_use uses[PAGES];
  const size_t one = 1;
  struct fake_kernel kernel = {0};
  for (int round = 0; round < 300; round++) { // places are used again
    for (uint64_t page = 0; page < PAGES; page++) uses[page] = (struct hmm_use){page, page + 1, page & 1, 0};
    struct hmm_launch request = {.uses = (uint64_t)(uintptr_t)uses, .use_count = round % 2 ? PAGES : 3, .queue = (uint64_t)(uintptr_t)h->devices[0].queue, .kernel = (uint64_t)(uintptr_t)&kernel,
                                 .dimensions = 1, .global = (uint64_t)(uintptr_t)&one};
    struct hmm_failure failure;
    CHECK_EQUAL(hmm_launch_enter(h->pager, &request, &failure), 0);
    CHECK(request.event);
    fake_wait((void *)(uintptr_t)request.event);
  }
  CHECK_EQUAL(hmm_await_all(h->pager), 0);
  close_heap(h);
}

static void *launch_in_line(void *arg) {
  struct heap *h = arg;
  for (int i = 0; i < 300; i++) { // more than there are places
    struct launching l = {0};
    CHECK_EQUAL(launch(h, &l, 0, 3, 4, false), 0);
    CHECK(l.request.event);
    fake_wait((void *)(uintptr_t)l.request.event); // on an in-order queue behind the stopped one
  }
  return NULL;
}

static void *launch_many(void *arg) {
  struct heap *h = arg;
  static struct launching many[300];
  for (int i = 0; i < 300; i++) CHECK_EQUAL(launch(h, &many[i], 0, 3, 4, false), 0);
  for (int i = 0; i < 300; i++) fake_wait((void *)(uintptr_t)many[i].request.event);
  return NULL;
}

static void more_launches_than_places(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, 2, 3, true);
  pthread_t many = start_thread(launch_many, h), in_line = start_thread(launch_in_line, h);
  AWAIT(hmm_used(h->pager, 0, NULL, 0) == 256);
  expect(h, 9, 10); // faults go on
  let_go(&k);
  pthread_join(many, NULL);
  pthread_join(in_line, NULL);
  CHECK_EQUAL(hmm_launched(h->pager, 0), 601);
  close_heap(h);
}

// ---- who waits

// Runs on the queue at the end of a launch: whoever must wait for it still waits.
struct witness {
  struct heap *heap;
  uint64_t page;
  _Atomic bool *done;
  _Atomic bool running, go, waited;
};

static void watch(void *arg) {
  struct witness *w = arg;
  w->running = true;
  AWAIT(w->go);
  w->waited = !*w->done && word_state(word(w->heap, w->page)) == TO_HOST;
  fill_frame(w->heap, 0, w->page, 99);
}

static void waits_for(const struct shape *shape, bool shared, bool launch_writes, bool touch_writes) {
  struct heap *h = open_heap_on_device(shape, PAGES, !shared);
  struct toucher t = {0};
  struct witness w = {.heap = h, .page = 6, .done = &t.done};
  struct launching l = {.kernel = {watch, &w, 0}};
  CHECK_EQUAL(launch(h, &l, 0, 4, 8, launch_writes), 0);
  AWAIT(w.running);
  start_toucher(&t, h, 6, touch_writes, 55);
  AWAIT(word_state(word(h, 6)) == TO_HOST);
  for (uint64_t page = 10; page < 20; page++) put(h, page, 1); // nobody else waits
  CHECK(!t.done);
  w.go = true;
  fake_wait((void *)(uintptr_t)l.request.event);
  join_toucher(&t);
  CHECK(w.waited);
  CHECK_EQUAL(t.error, 0);
  if (!touch_writes) CHECK_EQUAL(t.value, 99);
  CHECK_EQUAL(h->app[6 * PAGE], shared ? 0 : 99);
  CHECK_EQUAL(counted(h, HMM_WAITS), 1);
  close_heap(h);
}

static void touches_wait_for_launches(const struct shape *shape) {
  waits_for(shape, false, true, false); // a read, for a launch that writes
  waits_for(shape, false, true, true);
  waits_for(shape, false, false, true); // a write, for a launch that reads
  waits_for(shape, true, false, true);  // an upgrade, for a launch that reads
}

struct entering {
  struct heap *heap;
  struct launching launching;
};

static void *enter(void *arg) {
  struct entering *e = arg;
  CHECK_EQUAL(launch(e->heap, &e->launching, 0, 4, 8, true), 0);
  return NULL;
}

// Published is enough: the driver has the kernel and has not said so yet.
static void touches_wait_for_a_launch_that_is_not_decided(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct toucher t = {0};
  struct witness w = {.heap = h, .page = 6, .done = &t.done};
  struct entering e = {h, {.kernel = {watch, &w, 0}}};
  fake_eager(true);
  pthread_t thread = start_thread(enter, &e);
  AWAIT(w.running);
  start_toucher(&t, h, 6, false, 0);
  AWAIT(word_state(word(h, 6)) == TO_HOST);
  for (uint64_t page = 10; page < 20; page++) put(h, page, 1); // nobody else waits
  w.go = true;
  pthread_join(thread, NULL);
  fake_eager(false);
  join_toucher(&t);
  CHECK(w.waited);
  CHECK_EQUAL(t.error, 0);
  CHECK_EQUAL(t.value, 99);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)e.launching.request.event), 0);
  close_heap(h);
}

static void reading_beside_a_reading_launch_does_not_wait(const struct shape *shape) {
  for (int shared = 0; shared < 2; shared++) {
    struct heap *h = open_heap_on_device(shape, PAGES, !shared);
    struct stopped_kernel k;
    launch_stopped(h, &k, 0, 4, 8, false);
    expect(h, 6, 7);
    CHECK_EQUAL(fetch(h, 4, 8, HMM_PIN | HMM_MAP), 0);
    CHECK_EQUAL(counted(h, HMM_WAITS), 0);
    let_go(&k);
    close_heap(h);
  }
}

// More faults wait for a launch than the crew keeps threads, and pages that it does not use are served at once; also if noticed together with others that wait.
static void unused_pages_do_not_wait(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct stopped_kernel k;
  struct toucher blocked[20], others[20];
  launch_stopped(h, &k, 0, 0, 20, true);
  for (unsigned i = 0; i < 20; i++) {
    start_toucher(&blocked[i], h, i, i % 2, 1);
    start_toucher(&others[i], h, 20 + i, i % 2, 1);
  }
  for (int i = 0; i < 20; i++) join_toucher(&others[i]);
  for (int i = 0; i < 20; i++) CHECK(!blocked[i].done);
  let_go(&k);
  for (int i = 0; i < 20; i++) join_toucher(&blocked[i]);
  close_heap(h);
}

// Both kinds at once and again and again, so that they are read in one piece sooner or later.
struct round {
  struct heap *heap;
  pthread_barrier_t *start;
  uint64_t page;
};

static void *touch_at_once(void *arg) {
  struct round *r = arg;
  pthread_barrier_wait(r->start);
  put(r->heap, r->page, 9);
  return NULL;
}

static void faults_that_come_together_do_not_wait_together(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  for (int i = 0; i < (shape->quick ? 20 : 100); i++) {
    struct stopped_kernel k;
    struct round rounds[8];
    pthread_t threads[8];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, 8);
    for (uint64_t page = 0; page < 8; page++) CHECK(move_to(h, page, 0, true));
    launch_stopped(h, &k, 0, 0, 4, true);
    for (uint64_t page = 0; page < 8; page++) {
      rounds[page] = (struct round){h, &start, page};
      threads[page] = start_thread(touch_at_once, &rounds[page]);
    }
    for (int page = 4; page < 8; page++) pthread_join(threads[page], NULL);
    let_go(&k);
    for (int page = 0; page < 4; page++) pthread_join(threads[page], NULL);
    pthread_barrier_destroy(&start);
  }
  close_heap(h);
}

// A device that is busy with a copy keeps nobody waiting who does not need it.
static void faults_do_not_stand_behind_a_copy(const struct shape *shape) {
  if (shape->way == REACHABLE) return; // no commands there
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct toucher t;
  CHECK_EQUAL(fetch(h, 9, 12, HMM_EXCLUSIVE), 0);
  fake_hold(true);
  start_toucher(&t, h, 5, false, 0);
  fake_await_held();
  for (uint64_t page = 9; page < 12; page++) put(h, page, 3);
  fake_hold(false);
  join_toucher(&t);
  CHECK_EQUAL(t.value, 6);
  close_heap(h);
}

// Who looks for launches in his way looks at those in flight only, however many there once were; and at those that have ended until somebody has asked about them.
static void what_is_over_is_not_looked_at(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct stopped_kernel first, second;
  CHECK(move_to(h, 9, 1, true));
  CHECK_EQUAL(h->pager->inflight.count, 0);
  launch_stopped(h, &first, 0, 2, 5, true);
  launch_stopped(h, &second, 1, 9, 10, true);
  CHECK_EQUAL(h->pager->inflight.count, 2);
  struct launching withdrawn = {0}; // a page of it is elsewhere
  CHECK_EQUAL(launch(h, &withdrawn, 0, 8, 10, true), 0);
  CHECK_EQUAL(withdrawn.request.missing, 9);
  CHECK_EQUAL(h->pager->inflight.count, 2);
  let_go(&first);
  note_ends(h->pager, (struct page_range){5, 9});
  CHECK(in_use(h->pager, (struct page_range){2, 5}, false, 0) && !is_over(h->pager, (struct page_range){2, 5}, false)); // as far as anybody knows
  note_ends(h->pager, (struct page_range){4, 5});
  CHECK(!in_use(h->pager, (struct page_range){2, 5}, false, 0) && is_over(h->pager, (struct page_range){2, 5}, false));
  CHECK(in_use(h->pager, (struct page_range){9, 10}, true, 0) && !in_use(h->pager, (struct page_range){10, PAGES}, false, 0));
  CHECK_EQUAL(h->pager->inflight.count, 1);
  CHECK_EQUAL(h->pager->inflight.places[0], 1);
  let_go(&second);
  CHECK_EQUAL(hmm_await_all(h->pager), 0);
  CHECK_EQUAL(h->pager->inflight.count, 0);
  close_heap(h);
}

const struct test launch_tests[] = {
    {"pages_that_are_not_there", pages_that_are_not_there, ONE_WAY},
    {"pages_that_are_pinned_or_protected", pages_that_are_pinned_or_protected, ONE_WAY},
    {"a_launch_is_noted", a_launch_is_noted, ONE_WAY},
    {"more_uses_than_fit_in_line", more_uses_than_fit_in_line, ONE_WAY},
    {"what_is_over_is_not_looked_at", what_is_over_is_not_looked_at, ONE_WAY},
    {"more_launches_than_places", more_launches_than_places, ONE_WAY},
    {"touches_wait_for_launches", touches_wait_for_launches, NEEDS_TRAP},
    {"touches_wait_for_a_launch_that_is_not_decided", touches_wait_for_a_launch_that_is_not_decided, ONE_WAY},
    {"reading_beside_a_reading_launch_does_not_wait", reading_beside_a_reading_launch_does_not_wait, ONE_WAY},
    {"unused_pages_do_not_wait", unused_pages_do_not_wait, 0},
    {"faults_that_come_together_do_not_wait_together", faults_that_come_together_do_not_wait_together, ONE_WAY},
    {"faults_do_not_stand_behind_a_copy", faults_do_not_stand_behind_a_copy, 0},
    {0},
};
