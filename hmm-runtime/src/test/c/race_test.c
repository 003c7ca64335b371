// race_test.c - the interleavings that DESIGN.md 4.5 and 4.6 name, forced by stopping one side at a step.
#define _GNU_SOURCE
#include <unistd.h>

#include "heap.h"

#define P 5

static void arm(struct heap *h, enum hmm_step s) { CHECK_EQUAL(hmm_step_arm(h->pager, s, 1), 0); }
static void reached(struct heap *h, enum hmm_step s) { CHECK_EQUAL(hmm_step_await(h->pager, s, 30000), 1); }
static void go_on(struct heap *h, enum hmm_step s) { CHECK_EQUAL(hmm_step_arm(h->pager, s, 0), 0); }

// The page has contents 10 and no mapping.
static struct heap *unmapped_page(const struct shape *shape) {
  struct heap *h = open_heap(shape, 16, 1);
  put(h, P, 10);
  state(h, P);
  CHECK_EQUAL(hmm_forbid(h->pager, P, P + 1, 0), 0);
  return h;
}

static struct heap *page_on_device(const struct shape *shape) {
  struct heap *h = unmapped_page(shape);
  CHECK(move_to(h, P, 0, true));
  fill_frame(h, 0, P, 20);
  return h;
}

// ---- a touch against a claim of Java

enum point { CLAIMED, FORBIDDEN, COPIED, COMMITTED, POINTS };

// A touch comes after each step of a migration. The claim survives what it allows; otherwise its late steps change nothing.
static void a_touch_at_every_point_of_a_claim(const struct shape *shape) {
  for (enum point point = CLAIMED; point < POINTS; point++) {
    for (int kind = 0; kind < 8; kind++) {
      bool claim_writes = kind & 1, touch_writes = kind & 2, mapped = kind & 4;
      struct heap *h = unmapped_page(shape);
      if (mapped) expect(h, P, 10);
      state(h, P);
      uint64_t claimed = claim_for(h, P, 0, claim_writes);
      CHECK(claimed);
      for (enum point at = CLAIMED; at < COMMITTED; at++) {
        if (at == FORBIDDEN) forbid_claimed(h, P, claim_writes);
        if (at == COPIED) copy_in(h, P, 0);
        if (at != point) continue;
        if (touch_writes) put(h, P, 30);
        else expect(h, P, 10);
        state(h, P);
      }
      bool committed = commit(h, P, 0, claimed);
      bool seen = point != COMMITTED && (point != CLAIMED || !mapped);            // a touch of what was mapped still and not forbidden yet is none of its business
      bool allowed = !claim_writes && !touch_writes && mapped;                     // reads of what can still be read
      if (point == COMMITTED || !seen || allowed) CHECK(committed);
      else CHECK(!committed);
      if (point == COMMITTED) {
        if (touch_writes) put(h, P, 30);
        else expect(h, P, 10);
      }
      if (committed && point != COMMITTED) CHECK_EQUAL(frame(h, 0, P)[MIDDLE], touch_writes ? 30 : 10);
      expect(h, P, touch_writes ? 30 : 10);
      put(h, P, 31); // and a write is noticed, whatever is mapped
      CHECK_EQUAL(state(h, P), HOST);
      CHECK_EQUAL(h->alias[P * PAGE + MIDDLE], 31);
      close_heap(h);
    }
  }
}

// Java is stopped between its claim and taking the mapping away; the claim is lost, and the page even claimed again. What comes late costs a fault and no more.
static void a_late_forbid_does_no_harm(const struct shape *shape) {
  for (int kind = 0; kind < 4; kind++) {
    bool late_writes = kind & 1, again_writes = kind & 2;
    struct heap *h = unmapped_page(shape);
    uint64_t lost = claim_for(h, P, 0, late_writes);
    put(h, P, 11);
    state(h, P);
    forbid_claimed(h, P, late_writes);
    put(h, P, 12);
    state(h, P);
    uint64_t again = claim_for(h, P, 1, again_writes);
    forbid_claimed(h, P, again_writes);
    forbid_claimed(h, P, late_writes); // later still
    copy_in(h, P, 1);
    CHECK(!commit(h, P, 0, lost));
    CHECK(commit(h, P, 1, again));
    CHECK_EQUAL(frame(h, 1, P)[MIDDLE], 12);
    expect(h, P, 12);
    put(h, P, 13);
    CHECK_EQUAL(h->alias[P * PAGE + MIDDLE], 13);
    close_heap(h);
  }
}

// As system calls rely on it.
static bool is_mapped(struct heap *h, bool write) {
  void *at = (void *)(uintptr_t)(h->app + P * PAGE);
  off_t spare = (off_t)((h->pages - 1) * PAGE);
  return write ? pread(h->memfd, at, 1, spare) == 1 : pwrite(h->memfd, at, 1, spare) == 1;
}

// A pin comes after a claim, and what the claim is followed by after the pin.
static void a_late_forbid_leaves_pins_alone(const struct shape *shape) {
  for (int kind = 0; kind < 4; kind++) {
    bool claim_writes = kind & 1, pin_writes = kind & 2;
    struct heap *h = unmapped_page(shape);
    CHECK(claim_for(h, P, 0, claim_writes));
    CHECK_EQUAL(fetch(h, P, P + 1, HMM_PIN | HMM_MAP | (pin_writes ? HMM_EXCLUSIVE : 0)), 0);
    forbid_claimed(h, P, claim_writes);
    CHECK(is_mapped(h, false));
    if (pin_writes) CHECK(is_mapped(h, true));
    unpin(h, P, pin_writes);
    close_heap(h);
  }
}

static void *forbid_to_write(void *arg) {
  forbid_claimed(arg, P, true);
  return NULL;
}

static void *pin(void *arg) {
  CHECK_EQUAL(fetch(arg, P, P + 1, HMM_PIN | HMM_MAP | HMM_EXCLUSIVE), 0);
  return NULL;
}

// Who forbids has looked at the page already when it is claimed to be pinned.
static void a_pin_waits_for_who_forbids(const struct shape *shape) {
  struct heap *h = unmapped_page(shape);
  CHECK(claim_for(h, P, 0, true));
  arm(h, HMM_STEP_FORBIDS);
  pthread_t forbids = start_thread(forbid_to_write, h);
  reached(h, HMM_STEP_FORBIDS);
  arm(h, HMM_STEP_COPIED);
  arm(h, HMM_STEP_MAPPED);
  pthread_t pins = start_thread(pin, h);
  reached(h, HMM_STEP_COPIED);
  go_on(h, HMM_STEP_COPIED);
  CHECK_EQUAL(hmm_step_await(h->pager, HMM_STEP_MAPPED, 100), 0);
  go_on(h, HMM_STEP_FORBIDS);
  pthread_join(forbids, NULL);
  reached(h, HMM_STEP_MAPPED);
  go_on(h, HMM_STEP_MAPPED);
  pthread_join(pins, NULL);
  CHECK(is_mapped(h, true));
  unpin(h, P, true);
  close_heap(h);
}

static void a_late_commit_fails(const struct shape *shape) {
  struct heap *h = unmapped_page(shape);
  uint64_t first = claim_for(h, P, 0, true);
  forbid_claimed(h, P, true);
  copy_in(h, P, 0);
  put(h, P, 11);
  state(h, P);
  uint64_t second = claim_for(h, P, 0, true); // looks like the first, but for its version
  CHECK(second && second != first);
  CHECK(!commit(h, P, 0, first));
  forbid_claimed(h, P, true);
  copy_in(h, P, 0);
  CHECK(commit(h, P, 0, second));
  expect(h, P, 11);
  close_heap(h);
}

// ---- a fault that is stopped

static void a_page_that_moves_while_its_fault_is_noticed(const struct shape *shape) {
  for (int write = 0; write < 2; write++) {
    struct heap *h = unmapped_page(shape);
    struct toucher t;
    arm(h, HMM_STEP_NOTICED);
    start_toucher(&t, h, P, write, 30);
    reached(h, HMM_STEP_NOTICED);
    CHECK(move_to(h, P, 0, true));
    fill_frame(h, 0, P, 20);
    go_on(h, HMM_STEP_NOTICED);
    join_toucher(&t);
    if (!write) CHECK_EQUAL(t.value, 20);
    CHECK_EQUAL(h->app[P * PAGE], 20);
    expect(h, P, write ? 30 : 20);
    close_heap(h);
  }
}

static void a_page_that_comes_home_while_its_fault_is_noticed(const struct shape *shape) {
  struct heap *h = page_on_device(shape);
  struct toucher t;
  arm(h, HMM_STEP_NOTICED);
  start_toucher(&t, h, P, true, 30);
  reached(h, HMM_STEP_NOTICED);
  CHECK_EQUAL(fetch(h, P, P + 1, HMM_EXCLUSIVE), 0);
  h->alias[P * PAGE + 1] = 44; // a view writes
  go_on(h, HMM_STEP_NOTICED);
  join_toucher(&t);
  CHECK_EQUAL(h->app[P * PAGE + 1], 44);
  expect(h, P, 30);
  close_heap(h);
}

// Whoever has a claim for the host is left alone by everybody, at each of its steps; late mappings that Java takes away come back.
static void nobody_enters_a_claim(const struct shape *shape) {
  const enum hmm_step steps[] = {HMM_STEP_CLAIMED, HMM_STEP_COPIED, HMM_STEP_MAPPED};
  for (int i = 0; i < 3; i++) {
    struct heap *h = page_on_device(shape);
    struct toucher t, late;
    arm(h, steps[i]);
    start_toucher(&t, h, P, false, 0);
    reached(h, steps[i]);
    CHECK_EQUAL(word_state(word(h, P)), TO_HOST);
    struct launching l = {0};
    CHECK_EQUAL(launch(h, &l, 0, P, P + 1, false), 0);
    CHECK_EQUAL(l.request.missing, P);
    CHECK_EQUAL(hmm_release_host(h->pager, 0, P, P + 1), 0);
    CHECK_EQUAL(hmm_forbid(h->pager, P, P + 1, 0), 0); // late, from a claim lost long ago
    start_toucher(&late, h, P, true, 30);
    go_on(h, steps[i]);
    join_toucher(&t);
    join_toucher(&late);
    CHECK(t.value == 20 || t.value == 30);
    CHECK_EQUAL(state(h, P), HOST);
    expect(h, P, 30);
    close_heap(h);
  }
}

// A read is mapped and woken, but its claim not settled: a write that comes now finds the mapping too weak and the page claimed. It must be woken again.
static void a_write_between_mapping_and_settling(const struct shape *shape) {
  for (int map = 0; map < 2; map++) {
    struct heap *h = page_on_device(shape);
    struct toucher reads, writes;
    arm(h, HMM_STEP_MAPPED);
    start_toucher(&reads, h, P, false, 0);
    reached(h, HMM_STEP_MAPPED);
    if (map) CHECK_EQUAL(hmm_forbid(h->pager, P, P + 1, 0), 0); // not even the read can be made now
    uint64_t counts[HMM_COUNTERS];
    hmm_take_counts(h->pager, counts, HMM_COUNTERS);
    start_toucher(&writes, h, P, true, 30);
    do { // until it has been looked at, or, where it waits in the crew, noticed
      hmm_take_counts(h->pager, counts, HMM_COUNTERS);
    } while (!counts[shape->rung >= HMM_SIGSEGV ? HMM_FAULTS_MESSAGES : HMM_FAULTS_WRITE]);
    go_on(h, HMM_STEP_MAPPED);
    join_toucher(&reads);
    join_toucher(&writes);
    CHECK_EQUAL(state(h, P), HOST);
    expect(h, P, 30);
    close_heap(h);
  }
}

// ---- fetching against a launch

struct fetching {
  struct heap *heap;
  uint64_t flags;
  _Atomic bool done;
};

static void *fetch_page(void *arg) {
  struct fetching *f = arg;
  CHECK_EQUAL(fetch(f->heap, P, P + 1, f->flags), 0);
  f->done = true;
  return NULL;
}

struct launching_there {
  struct heap *heap;
  struct launching launching;
};

static void *launch_there(void *arg) {
  struct launching_there *l = arg;
  CHECK_EQUAL(launch(l->heap, &l->launching, 0, P, P + 1, true), 0);
  return NULL;
}

static void write_on_device(void *arg) { fill_frame(arg, 0, P, 60); }

// The fetch comes while the launch is between publishing and checking (it loses) or between checking and enqueueing (it is waited for).
static void a_fetch_while_a_launch_enters(const struct shape *shape) {
  const enum hmm_step steps[] = {HMM_STEP_PUBLISHED, HMM_STEP_CHECKED};
  for (int i = 0; i < 4; i++) {
    struct heap *h = page_on_device(shape);
    struct launching_there l = {h, {.kernel = {write_on_device, h, 0}}};
    struct fetching f = {.heap = h, .flags = i / 2 ? HMM_EXCLUSIVE : 0};
    arm(h, steps[i % 2]);
    pthread_t launches = start_thread(launch_there, &l);
    reached(h, steps[i % 2]);
    pthread_t fetches = start_thread(fetch_page, &f);
    AWAIT(word_state(word(h, P)) == TO_HOST);
    CHECK(!f.done);
    go_on(h, steps[i % 2]);
    pthread_join(launches, NULL);
    pthread_join(fetches, NULL);
    CHECK_EQUAL(l.launching.request.event != 0, i % 2);
    if (l.launching.request.event) fake_wait((void *)(uintptr_t)l.launching.request.event);
    CHECK_EQUAL(state(h, P), i / 2 ? HOST : SHARED);
    expect(h, P, i % 2 ? 60 : 20);
    close_heap(h);
  }
}

// The other order: the fetch has claimed when the launch is published.
static void a_launch_while_a_fetch_has_claimed(const struct shape *shape) {
  const enum hmm_step steps[] = {HMM_STEP_CLAIMED, HMM_STEP_COPIED, HMM_STEP_MAPPED};
  for (int i = 0; i < 3; i++) {
    struct heap *h = page_on_device(shape);
    struct fetching f = {.heap = h, .flags = HMM_EXCLUSIVE | HMM_MAP};
    struct launching l = {.kernel = {write_on_device, h, 0}};
    arm(h, steps[i]);
    pthread_t fetches = start_thread(fetch_page, &f);
    reached(h, steps[i]);
    CHECK_EQUAL(launch(h, &l, 0, P, P + 1, true), 0);
    CHECK(!l.request.event && l.request.missing == P);
    go_on(h, steps[i]);
    pthread_join(fetches, NULL);
    expect(h, P, 20);
    close_heap(h);
  }
}

// A launch that insists meets a fetch at each of its steps: it waits for its claim, and then takes the page.
static void *insist_there(void *arg) {
  struct launching_there *l = arg;
  l->launching.request.insist = 1;
  return launch_there(l);
}

static void insisting_while_a_fetch_has_claimed(const struct shape *shape) {
  const enum hmm_step steps[] = {HMM_STEP_CLAIMED, HMM_STEP_COPIED, HMM_STEP_MAPPED};
  for (int i = 0; i < 3; i++) {
    struct heap *h = page_on_device(shape);
    struct fetching f = {.heap = h, .flags = HMM_EXCLUSIVE | HMM_MAP};
    struct launching_there l = {h, {.kernel = {write_on_device, h, 0}}};
    arm(h, steps[i]);
    pthread_t fetches = start_thread(fetch_page, &f);
    reached(h, steps[i]);
    pthread_t launches = start_thread(insist_there, &l);
    AWAIT(hmm_used(h->pager, 0, NULL, 0) == 1);
    go_on(h, steps[i]);
    pthread_join(fetches, NULL);
    pthread_join(launches, NULL);
    CHECK(l.launching.request.event);
    fake_wait((void *)(uintptr_t)l.launching.request.event);
    expect(h, P, 60);
    close_heap(h);
  }
}

const struct test race_tests[] = {
    {"a_touch_at_every_point_of_a_claim", a_touch_at_every_point_of_a_claim, NEEDS_TRAP | ONE_WAY},
    {"a_late_forbid_does_no_harm", a_late_forbid_does_no_harm, ONE_WAY},
    {"a_late_forbid_leaves_pins_alone", a_late_forbid_leaves_pins_alone, NEEDS_TRAP | ONE_WAY},
    {"a_pin_waits_for_who_forbids", a_pin_waits_for_who_forbids, NEEDS_TRAP | ONE_WAY},
    {"a_late_commit_fails", a_late_commit_fails, ONE_WAY},
    {"a_page_that_moves_while_its_fault_is_noticed", a_page_that_moves_while_its_fault_is_noticed, NEEDS_TRAP},
    {"a_page_that_comes_home_while_its_fault_is_noticed", a_page_that_comes_home_while_its_fault_is_noticed, NEEDS_TRAP},
    {"nobody_enters_a_claim", nobody_enters_a_claim, 0},
    {"a_write_between_mapping_and_settling", a_write_between_mapping_and_settling, NEEDS_TRAP},
    {"a_fetch_while_a_launch_enters", a_fetch_while_a_launch_enters, 0},
    {"a_launch_while_a_fetch_has_claimed", a_launch_while_a_fetch_has_claimed, 0},
    {"insisting_while_a_fetch_has_claimed", insisting_while_a_fetch_has_claimed, 0},
    {0},
};
