// launch_end_test.c - how launches end, and who finds out: also of one that fails, and of one that the driver never tells of.
#include "heap.h"

#include <errno.h>
#include <string.h>

#include "inflight.h"
#include "pager.h"

#define PAGES 40

static void a_launch_that_the_driver_refuses_leaves_nothing(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct launching l = {0};
  fake_fail(HMM_CL_ENQUEUE_KERNEL, -54, 0, 1);
  CHECK_EQUAL(launch(h, &l, 0, 0, 4, true), -EIO);
  CHECK_EQUAL(l.request.event, 0);
  CHECK(l.failure.reason == HMM_OPENCL && l.failure.status == -54 && l.failure.call == HMM_CALL_KERNEL && l.failure.device == 0);
  CHECK_EQUAL(hmm_used(h->pager, 0, NULL, 0), 0);
  put(h, 2, 1);
  close_heap(h);
}

static void expect_poisoned(struct heap *h, uint64_t page) {
  unsigned char value;
  CHECK(touch_read(h, page, &value));
  CHECK(touch_write(h, page, 1));
  CHECK_EQUAL(state(h, page), POISONED);
}

// What a failed kernel was to write is lost, and says so; what it only read is not.
static void what_a_failed_kernel_was_to_write_is_poisoned(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct launching l = {.kernel.status = -5, .request.name = (uint64_t)(uintptr_t)"broken"};
  CHECK_EQUAL(launch(h, &l, 0, 0, 4, true), 0);
  CHECK_EQUAL(hmm_await_all(h->pager), 0);
  for (uint64_t page = 0; page < 4; page++) expect_poisoned(h, page);
  expect(h, 4, 5);
  CHECK_EQUAL(counted(h, HMM_POISONED), 4);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), -5);
  struct hmm_failed_launch failed;
  CHECK_EQUAL(hmm_failed_launch_of(h->pager, 3, &failed), 1);
  CHECK(!strcmp(failed.name, "broken") && failed.status == -5 && failed.device == 0 && failed.first == 0 && failed.end == 4);
  CHECK_EQUAL(hmm_failed_launch_of(h->pager, 4, &failed), 0);

  struct launching next = {0};
  CHECK_EQUAL(launch(h, &next, 0, 2, 6, false), 0);
  CHECK(!next.request.event);
  CHECK_EQUAL(next.request.missing, 2);

  struct launching reading = {.kernel.status = -5};
  CHECK_EQUAL(launch(h, &reading, 0, 8, 12, false), 0);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)reading.request.event), -5);
  for (uint64_t page = 8; page < 12; page++) expect(h, page, (unsigned char)(page + 1));

  CHECK_EQUAL(hmm_discard(h->pager, 0, 4, NULL), 0); // its contents are given up: it can be used again
  expect(h, 1, 0);
  put(h, 2, 7);
  CHECK(move_to(h, 2, 0, true));
  struct launching good = {0};
  CHECK_EQUAL(launch(h, &good, 0, 2, 3, true), 0);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)good.request.event), 0);
  expect(h, 2, 7);
  close_heap(h);
}

// Whoever has a page claimed when the kernel fails finds it poisoned when the wait is over.
static void a_kernel_may_fail_under_those_who_wait_for_it(const struct shape *shape) {
  for (int write = 0; write < 2; write++) {
    struct heap *h = open_heap_on_device(shape, PAGES, true);
    struct stopped_kernel k;
    struct toucher t;
    launch_stopped(h, &k, 0, 0, 4, true);
    k.launching.kernel.status = -5;
    start_toucher(&t, h, 1, write, 1);
    AWAIT(word_state(word(h, 1)) == TO_HOST);
    k.go = true;
    join_toucher(&t);
    CHECK(t.error);
    for (uint64_t page = 0; page < 4; page++) expect_poisoned(h, page);
    CHECK_EQUAL(counted(h, HMM_POISONED), 4);
    CHECK_EQUAL(fake_wait((void *)(uintptr_t)k.launching.request.event), -5);
    expect(h, 4, 5);
    close_heap(h);
  }
}

struct fetching {
  struct heap *heap;
  uint64_t flags;
  uint8_t outcomes[8];
  int result;
};

static void *fetch_eight(void *arg) {
  struct fetching *f = arg;
  struct hmm_failure failure;
  f->result = hmm_fetch(f->heap->pager, 0, 8, f->flags, f->outcomes, NULL, &failure);
  return NULL;
}

static void a_kernel_may_fail_under_a_fetch(const struct shape *shape) {
  for (uint64_t flags = 0; flags < 4; flags++) {
    struct heap *h = open_heap_on_device(shape, PAGES, true);
    struct stopped_kernel k;
    struct fetching f = {.heap = h, .flags = flags};
    launch_stopped(h, &k, 0, 0, 4, true);
    k.launching.kernel.status = -5;
    pthread_t thread = start_thread(fetch_eight, &f);
    AWAIT(word_state(word(h, 3)) == TO_HOST);
    k.go = true;
    pthread_join(thread, NULL);
    CHECK_EQUAL(f.result, flags & HMM_PIN ? -EACCES : 0);
    for (uint64_t page = 0; page < 4; page++) expect_poisoned(h, page);
    for (uint64_t page = 4; page < 8; page++) {
      CHECK_EQUAL(word_pins(word(h, page), true) + word_pins(word(h, page), false), 0);
      if (!(flags & HMM_PIN)) CHECK(f.outcomes[page] == 2 && f.outcomes[page - 4] == 3);
      expect(h, page, (unsigned char)(page + 1));
    }
    CHECK_EQUAL(fake_wait((void *)(uintptr_t)k.launching.request.event), -5);
    close_heap(h);
  }
}

// However the driver lets us know.
static void a_launch_that_ends_badly_ends(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct launching l = {.kernel.status = -5};
  struct stopped_kernel k;
  struct toucher t;
  launch_stopped(h, &k, 0, 4, 8, true);
  k.launching.kernel.status = -5;
  fake_fail(HMM_CL_SET_CALLBACK, -30, 0, 1); // no word from the driver: the event is asked
  start_toucher(&t, h, 5, true, 1);
  AWAIT(fake_calls_of(HMM_CL_SET_CALLBACK) == 1);
  let_go(&k);
  join_toucher(&t);
  CHECK(t.error);
  expect_poisoned(h, 5);
  fake_fail(HMM_CL_FLUSH, -6, 0, 1);
  CHECK_EQUAL(launch(h, &l, 0, 8, 12, true), 0);
  CHECK_EQUAL(hmm_await_all(h->pager), 0);
  expect_poisoned(h, 9);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), -5);
  close_heap(h);
}

// The kernel is the driver's once it is enqueued: whatever fails then, the launch has happened, and its end is found out.
static void what_fails_after_the_enqueueing_hides_no_launch(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  const enum hmm_cl calls[] = {HMM_CL_RETAIN_EVENT, HMM_CL_FLUSH};
  for (int i = 0; i < 2; i++) {
    for (int deaf = 0; deaf < 2; deaf++) { // even if waiting and asking fail as well, for a while
      struct launching l = {0};
      CHECK(move_to(h, 2, 0, true));
      fake_fail(calls[i], -5, 0, 1);
      if (deaf) fake_fail(HMM_CL_WAIT, -6, 0, 3);
      if (deaf) fake_fail(HMM_CL_EVENT_INFO, -6, 0, 2);
      CHECK_EQUAL(launch(h, &l, 0, 0, 4, true), 0);
      CHECK(l.request.event);
      CHECK_EQUAL(hmm_used(h->pager, 0, NULL, 0), 0);
      put(h, 2, 1);
      CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
      fake_reset();
    }
  }
  CHECK_EQUAL(hmm_launched(h->pager, 0), 4);
  close_heap(h);
}

static void a_kernel_that_ends_at_once_is_seen_to_end(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct launching l = {0};
  fake_eager(true);
  CHECK_EQUAL(launch(h, &l, 0, 0, 4, true), 0);
  fake_eager(false);
  put(h, 2, 1);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
  close_heap(h);
}

// Everybody who waits for a launch finds out by himself that it has ended, and how.
static void a_driver_may_never_call_back(const struct shape *shape) {
  for (int how = 0; how < 6; how++) {
    struct heap *h = open_heap_on_device(shape, PAGES, true);
    fake_silent(true);
    struct stopped_kernel k;
    launch_stopped(h, &k, 0, 0, 4, true);
    k.launching.kernel.status = how < 4 ? 0 : -5;
    struct toucher t;
    bool touches = how == 0 || how == 4;
    if (touches) start_toucher(&t, h, 1, false, 0);
    let_go(&k);
    if (touches) join_toucher(&t);
    struct launching others[256] = {0};
    switch (how) {
    case 0: CHECK(!t.error); break;
    case 1: CHECK_EQUAL(fetch(h, 0, 4, HMM_EXCLUSIVE), 0); break;
    case 2: CHECK_EQUAL(hmm_await(h->pager, 0, 3, 4, 0), 0); break;
    case 3: // as many as there are places
      for (int i = 0; i < 256; i++) CHECK_EQUAL(launch(h, &others[i], 0, 8, 12, false), 0);
      for (int i = 0; i < 256; i++) fake_wait((void *)(uintptr_t)others[i].request.event);
      break;
    case 4: CHECK(t.error); break;
    default:
      CHECK_EQUAL(hmm_await_all(h->pager), 0);
      expect_poisoned(h, 1);
    }
    close_heap(h); // waits for all of them
    fake_reset();
  }
}

// A driver that has lost its device may have no answer for ever: whoever waits for a launch there is told, and closing ends.
static void a_launch_that_nobody_can_ask_about_has_failed(const struct shape *shape) {
  for (int by_touch = 0; by_touch < 2; by_touch++) {
    struct heap *h = open_heap_on_device(shape, PAGES, true);
    fake_silent(true);
    struct stopped_kernel k;
    launch_stopped(h, &k, 0, 0, 4, true);
    fake_fail(HMM_CL_EVENT_INFO, -36, 0, 1000000);
    unsigned char value;
    if (by_touch) CHECK(touch_read(h, 1, &value));
    else CHECK_EQUAL(hmm_await_all(h->pager), 0);
    expect_poisoned(h, 1);
    struct launching l = {0};
    CHECK_EQUAL(launch(h, &l, 0, 8, 12, true), -EIO);
    CHECK_EQUAL(l.failure.status, -2);
    fake_reset();
    let_go(&k);
    close_heap(h);
  }
}

// A kernel that says by itself from when until when it runs, which is from before its enqueueing has returned.
struct observed {
  struct heap *heap;
  _Atomic uint64_t running; // odd while it does; all ones at the end
  _Atomic int missed;
};

static void run_observed(void *arg) {
  struct observed *o = arg;
  o->running++;
  for (volatile int i = 0; i < 20000; i++) { // long enough for the onlooker to look
  }
  o->running++;
}

static void *observe(void *arg) {
  struct observed *o = arg;
  for (uint64_t before; (before = o->running) != UINT64_MAX;) {
    bool seen = hmm_used(o->heap->pager, 0, NULL, 0) > 0;
    if (before % 2 && !seen && o->running == before) o->missed++;
  }
  return NULL;
}

// Whoever looks, at whatever moment of a launch, finds it in flight while its kernel runs.
static void a_launch_that_runs_is_always_seen(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct observed o = {.heap = h};
  pthread_t onlooker = start_thread(observe, &o);
  for (int i = 0; i < (shape->quick ? 300 : 5000); i++) {
    struct launching l = {.kernel = {run_observed, &o, 0}};
    fake_eager(i % 2);
    CHECK_EQUAL(launch(h, &l, 0, 4, 8, true), 0);
    fake_wait((void *)(uintptr_t)l.request.event);
  }
  fake_eager(false);
  o.running = UINT64_MAX;
  pthread_join(onlooker, NULL);
  CHECK_EQUAL(o.missed, 0);
  close_heap(h);
}

static void a_late_callback_ends_no_other_launch(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct stopped_kernel k;
  struct toucher t;
  launch_stopped(h, &k, 0, 0, 4, true);
  start_toucher(&t, h, 1, false, 0);
  AWAIT(fake_calls_of(HMM_CL_SET_CALLBACK) == 1);
  struct fake_callback late = fake_last_callback();
  let_go(&k);
  join_toucher(&t);
  CHECK_EQUAL(hmm_await_all(h->pager), 0);
  CHECK(move_to(h, 1, 0, true));
  launch_stopped(h, &k, 0, 0, 4, true); // in the same place
  late.function(NULL, 0, late.user);
  CHECK_EQUAL(hmm_used(h->pager, 0, NULL, 0), 1);
  let_go(&k);
  close_heap(h);
  late.function(NULL, 0, late.user); // nor does it need the pager
}

// A callback costs the driver a thread that wakes, and a launch a call: it is asked for by the first who waits while the kernel runs.
static void only_who_waits_is_called_back(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  for (int i = 0; i < 20; i++) {
    struct launching l = {0};
    CHECK_EQUAL(launch(h, &l, 0, 0, 4, true), 0);
    CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
  }
  expect(h, 1, 2);
  CHECK(move_to(h, 1, 0, true));
  CHECK_EQUAL(hmm_await_all(h->pager), 0);
  CHECK_EQUAL(fake_calls_of(HMM_CL_SET_CALLBACK), 0);

  struct stopped_kernel k;
  struct toucher touchers[3];
  launch_stopped(h, &k, 0, 0, 4, true);
  for (int i = 0; i < 3; i++) start_toucher(&touchers[i], h, (uint64_t)i, false, 0);
  for (int i = 0; i < 3; i++) AWAIT(word_state(word(h, (uint64_t)i)) == TO_HOST);
  AWAIT(fake_calls_of(HMM_CL_SET_CALLBACK) == 1);
  let_go(&k);
  for (int i = 0; i < 3; i++) join_toucher(&touchers[i]);
  CHECK_EQUAL(fake_calls_of(HMM_CL_SET_CALLBACK), 1);
  close_heap(h);
}

// Nobody touches what they use, and still those that have ended are not kept: a later launch gives their events back, also behind a kernel of another device that goes on running.
static void launches_that_nobody_waits_for_are_forgotten(const struct shape *shape) {
  struct heap *h = open_heap_on_device(shape, PAGES, true);
  struct stopped_kernel other;
  CHECK(move_to(h, 9, 1, true));
  launch_stopped(h, &other, 1, 9, 10, true);
  struct launching several[20] = {0};
  for (int i = 0; i < 20; i++) CHECK_EQUAL(launch(h, &several[i], 0, 0, 4, true), 0);
  for (int i = 0; i < 20; i++) fake_wait((void *)(uintptr_t)several[i].request.event);
  struct launching last = {0};
  CHECK_EQUAL(launch(h, &last, 0, 0, 4, true), 0);
  CHECK_EQUAL(h->pager->inflight.count, 2);
  fake_wait((void *)(uintptr_t)last.request.event);
  CHECK_EQUAL(hmm_used(h->pager, 0, NULL, 0), 0);
  let_go(&other);
  close_heap(h);
  CHECK_EQUAL(fake_live_events(), 0);
}

// One that failed, and that nobody has waited for, is found out by the next that wants its pages, whoever that is.
static void a_failure_that_nobody_waited_for_is_found_out(const struct shape *shape) {
  for (int how = 0; how < 3; how++) {
    struct heap *h = open_heap_on_device(shape, PAGES, true);
    struct launching l = {.kernel.status = -5};
    CHECK_EQUAL(launch(h, &l, 0, 0, 4, true), 0);
    CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), -5);
    struct launching next = {0};
    switch (how) {
    case 0:
      CHECK_EQUAL(launch(h, &next, 0, 2, 6, false), 0);
      CHECK(!next.request.event);
      CHECK_EQUAL(next.request.missing, 2);
      break;
    case 1: expect_poisoned(h, 3); break;
    default: CHECK(!move_to(h, 3, 1, true));
    }
    CHECK_EQUAL(state(h, 0), POISONED);
    CHECK_EQUAL(counted(h, HMM_POISONED), 4);
    close_heap(h);
  }
}

// A callback or a status that says that a kernel has ended makes nothing visible to another queue: whoever reads or overwrites what it wrote has waited for its event.
static void whoever_relies_on_a_kernel_has_waited_for_its_event(const struct shape *shape) {
  for (int how = 0; how < 4; how++) {
    struct heap *h = open_heap_on_device(shape, PAGES, true);
    struct launching l = {0};
    CHECK_EQUAL(launch(h, &l, 0, 0, 4, true), 0);
    void *event = (void *)(uintptr_t)l.request.event;
    int outcome;
    AWAIT(ask(h->pager, event, &outcome) && outcome <= 0);
    CHECK(!fake_waited_for(event));
    switch (how) {
    case 0: expect(h, 1, 2); break;
    case 1: CHECK_EQUAL(fetch(h, 0, 4, HMM_EXCLUSIVE), 0); break;
    case 2: CHECK_EQUAL(hmm_await(h->pager, 0, 3, 4, 0), 0); break; // before its frames are used for something else
    default: // before its place is
      for (int i = 0; i < 256; i++) {
        struct launching other = {0};
        CHECK_EQUAL(launch(h, &other, 0, 8, 12, false), 0);
        fake_wait((void *)(uintptr_t)other.request.event);
      }
    }
    CHECK(fake_waited_for(event));
    fake_wait(event);
    close_heap(h);
  }
}

// A kernel that adds 100 to the bytes of its copy.
struct adding {
  void *copy;
  _Atomic int found;
};

static void add_to_copy(void *arg) {
  struct adding *a = arg;
  a->found = (unsigned char)fake_bytes(a->copy)[0];
  for (int i = 0; i < 4; i++) fake_bytes(a->copy)[i] += 100;
}

// Where the device cannot start a pointer the kernel gets a copy of the bytes, and only those come back.
static void arguments_that_are_copied(const struct shape *shape) {
  for (int how = 0; how < 5; how++) {
    struct heap *h = open_heap_on_device(shape, PAGES, true);
    struct adding a = {.copy = fake_memory(4)};
    struct hmm_argument_copy copy = {h->devices[0].memory_of_chunk[0], 2 * PAGE + MIDDLE, (uint64_t)(uintptr_t)a.copy, 4, how != 1};
    struct launching l = {.kernel = {add_to_copy, &a, how == 2 ? -5 : 0}, .request = {.copies = (uint64_t)(uintptr_t)&copy, .copy_count = 1}};
    const uint64_t page = 2;
    if (how > 2) fake_fail(HMM_CL_ENQUEUE_COPY, -4, how - 3, 1);
    int result = launch(h, &l, 0, page, page + 1, true);
    CHECK_EQUAL(result, how > 2 ? -EIO : 0);
    switch (how) {
    case 0:
    case 1:
      CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
      CHECK_EQUAL(a.found, page + 1);
      expect(h, page, (unsigned char)(how == 1 ? page + 1 : page + 101));
      CHECK_EQUAL(h->app[page * PAGE + MIDDLE + 1], how == 1 ? 0 : 100);
      CHECK_EQUAL(h->app[page * PAGE + MIDDLE + 4], 0);
      break;
    case 2: // nothing comes back, and the launch says so
      CHECK(fake_wait((void *)(uintptr_t)l.request.event) < 0);
      CHECK_EQUAL(hmm_await_all(h->pager), 0);
      expect_poisoned(h, page);
      break;
    case 3: // not enqueued
      CHECK(l.failure.call == HMM_CALL_COPY && l.failure.status == -4 && !l.request.event);
      CHECK_EQUAL(fake_calls_of(HMM_CL_ENQUEUE_KERNEL), 0);
      expect(h, page, (unsigned char)(page + 1));
      break;
    default: // the kernel has run, as its event says, and what it wrote is lost
      CHECK(l.failure.call == HMM_CALL_COPY && l.failure.status == -4 && l.request.event);
      CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
      expect_poisoned(h, page);
    }
    close_heap(h);
    fake_reset();
    fake_free(a.copy);
  }
}

const struct test launch_end_tests[] = {
    {"a_launch_that_the_driver_refuses_leaves_nothing", a_launch_that_the_driver_refuses_leaves_nothing, ONE_WAY},
    {"what_a_failed_kernel_was_to_write_is_poisoned", what_a_failed_kernel_was_to_write_is_poisoned, 0},
    {"a_kernel_may_fail_under_those_who_wait_for_it", a_kernel_may_fail_under_those_who_wait_for_it, ONE_WAY},
    {"a_kernel_may_fail_under_a_fetch", a_kernel_may_fail_under_a_fetch, ONE_WAY},
    {"a_launch_that_ends_badly_ends", a_launch_that_ends_badly_ends, ONE_WAY},
    {"what_fails_after_the_enqueueing_hides_no_launch", what_fails_after_the_enqueueing_hides_no_launch, ONE_WAY},
    {"a_kernel_that_ends_at_once_is_seen_to_end", a_kernel_that_ends_at_once_is_seen_to_end, ONE_WAY},
    {"a_driver_may_never_call_back", a_driver_may_never_call_back, ONE_WAY},
    {"a_launch_that_nobody_can_ask_about_has_failed", a_launch_that_nobody_can_ask_about_has_failed, ONE_WAY},
    {"a_launch_that_runs_is_always_seen", a_launch_that_runs_is_always_seen, ONE_WAY},
    {"a_late_callback_ends_no_other_launch", a_late_callback_ends_no_other_launch, ONE_WAY},
    {"only_who_waits_is_called_back", only_who_waits_is_called_back, ONE_WAY},
    {"launches_that_nobody_waits_for_are_forgotten", launches_that_nobody_waits_for_are_forgotten, ONE_WAY},
    {"a_failure_that_nobody_waited_for_is_found_out", a_failure_that_nobody_waited_for_is_found_out, ONE_WAY},
    {"whoever_relies_on_a_kernel_has_waited_for_its_event", whoever_relies_on_a_kernel_has_waited_for_its_event, ONE_WAY},
    {"arguments_that_are_copied", arguments_that_are_copied, NEEDS_TRAP},
    {0},
};
