// error_test.c - copies that fail, devices that are lost, and how a touch becomes an error. Where the host reaches the device's memory nothing of this can happen.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <unistd.h>

#define P 5
#define LOST -36

static struct heap *on_device(const struct shape *shape) {
  struct heap *h = open_heap(shape, 32, 1);
  for (uint64_t page = 0; page < 32; page++) {
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(page + 1));
  }
  return h;
}

enum { READ_CALLS = 5 };

static void fail_read(const struct shape *shape, int which, int status, int times) {
  const enum hmm_cl read_calls[READ_CALLS] = {READS(shape), HMM_CL_FLUSH, HMM_CL_WAIT, HMM_CL_EVENT_INFO, shape->way == BY_COPIES ? HMM_CL_MAP : READS(shape)};
  if (which < READ_CALLS) fake_fail(read_calls[which], status, 0, times);
  else fake_fail_commands(status, times);
}

// Once or twice is tried again; the program sees nothing of it.
static void a_copy_that_fails_is_tried_again(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  for (int which = 0; which <= READ_CALLS; which++) {
    struct heap *h = on_device(shape);
    fail_read(shape, which, -5, 2);
    expect(h, P, P + 1);
    CHECK_EQUAL(counted(h, HMM_ERRORS), 0);
    close_heap(h);
  }
}

// Also where the slot that it takes was to be unmapped first; afterwards nobody knows whether it is.
static void a_slot_outlasts_a_failed_unmap(const struct shape *shape) {
  if (shape->way != BY_COPIES) return;
  struct heap *h = on_device(shape);
  expect(h, P, P + 1);
  fake_fail(HMM_CL_UNMAP, -5, 0, 2);
  expect(h, P + 1, P + 2);
  fake_fail_commands(-5, 1); // the unmap is in the queue, and ends badly
  expect(h, P + 2, P + 3);
  fake_fail(HMM_CL_UNMAP, -5, 0, 1000);
  unsigned char value;
  CHECK(move_to(h, P, 0, true));
  fill_frame(h, 0, P, 99);
  CHECK(touch_read(h, P, &value));
  CHECK_EQUAL(state(h, P), DEVICE);
  fake_reset();
  expect(h, P, 99);
  CHECK_EQUAL(counted(h, HMM_POISONED), 0);
  close_heap(h);
}

// For ever is an error of the thread that touched, and the page is where it was: readable as soon as the device can.
static void a_copy_that_fails_for_good_is_an_error(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  for (int which = 0; which <= READ_CALLS; which++) {
    struct heap *h = on_device(shape);
    unsigned char value;
    for (int round = 0; round < 3; round++) {
      fail_read(shape, which, -5, 1000);
      CHECK(touch_read(h, P, &value));
      CHECK(touch_write(h, P, 1));
      CHECK_EQUAL(state(h, P), DEVICE);
      fake_reset();
    }
    expect(h, P, P + 1);
    put(h, P, 77);
    expect(h, P, 77);
    CHECK_EQUAL(counted(h, HMM_POISONED), 0);
    close_heap(h);
  }
}

// A neighbour whose copy fails does not make an error of a touch.
static void a_neighbour_may_fail(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  struct heap *h = open_heap(shape, 32, 16);
  extents_set(&h->devices[0].frame_of_page, 2, 40); // not contiguous: a copy of its own
  for (uint64_t page = 0; page < 32; page++) CHECK(move_to(h, page, page < 3 ? 0 : 1, true));
  expect(h, 0, 0);
  fake_fail(READS(shape), -5, 1, 1);
  expect(h, 1, 0);
  expect(h, 2, 0);
  close_heap(h);
}

static void a_fetch_that_fails_pins_nothing(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  for (int which = 0; which <= READ_CALLS; which++) {
    for (uint64_t flags = 0; flags < 8; flags++) {
      struct heap *h = on_device(shape);
      struct hmm_failure failure = {0};
      put(h, 0, 1);
      put(h, 31, 32);
      fail_read(shape, which, -5, 1000);
      CHECK_EQUAL(hmm_fetch(h->pager, 0, 32, flags, NULL, NULL, &failure), -EIO);
      CHECK(failure.reason == HMM_OPENCL && failure.status == -5 && failure.call == HMM_CALL_READ && failure.device == 0);
      CHECK(failure.page >= 1 && failure.page < 31 && failure.word);
      fake_reset();
      for (uint64_t page = 0; page < 32; page++) {
        CHECK_EQUAL(word_pins(word(h, page), true) + word_pins(word(h, page), false), 0);
        expect(h, page, (unsigned char)(page + 1));
      }
      close_heap(h);
    }
  }
}

// A command or two of many: what came home is home, what did not is where it was.
static void a_long_fetch_may_fail_in_part(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  for (int after = 0; after < (shape->quick ? 3 : 12); after++) {
    struct heap *h = open_heap(shape, 3000, 1);
    for (uint64_t page = 0; page < h->pages; page++) {
      CHECK(move_to(h, page, 0, true));
      fill_frame(h, 0, page, (unsigned char)(page % 251));
    }
    fake_fail(READS(shape), -5, after * 11, 1); // each piece of device memory is a command at least, and there are 125
    CHECK_EQUAL(fetch(h, 0, h->pages, HMM_EXCLUSIVE | HMM_PIN), -EIO);
    for (uint64_t page = 0; page < h->pages; page++) {
      uint64_t w = word(h, page);
      CHECK(word_state(w) == DEVICE || word_state(w) == HOST);
      CHECK_EQUAL(word_pins(w, true), 0);
      if (word_state(w) == HOST) CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], page % 251);
    }
    CHECK_EQUAL(fetch(h, 0, h->pages, HMM_EXCLUSIVE), 0);
    for (uint64_t page = 0; page < h->pages; page++) CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], page % 251);
    close_heap(h);
  }
}

static void what_a_lost_device_had_is_poisoned(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  for (int how = 0; how < 4; how++) {
    bool by_touch = how % 2, is_told = how < 2; // or the driver says of everything that it is too much
    struct heap *h = on_device(shape);
    unsigned char value;
    expect(h, P + 1, P + 2); // shared: the host has it as well
    fake_fail(READS(shape), is_told ? LOST : -5, 0, 1000);
    if (!is_told) fake_fail(HMM_CL_FLUSH, -5, 0, 1000);
    if (!is_told) fake_fail(HMM_CL_CREATE_QUEUE, -5, 0, 1000);
    if (by_touch) {
      CHECK(touch_read(h, P, &value));
    } else {
      struct hmm_failure failure = {0};
      CHECK_EQUAL(hmm_fetch(h->pager, P, P + 2, HMM_EXCLUSIVE, NULL, NULL, &failure), -EIO);
      CHECK_EQUAL(failure.status, is_told ? LOST : -2);
    }
    CHECK_EQUAL(state(h, P), POISONED);
    CHECK_EQUAL(counted(h, HMM_POISONED), 1);
    fake_reset();
    CHECK(touch_read(h, P, &value)); // for good
    CHECK(touch_write(h, P, 1));
    expect(h, P + 1, P + 2);
    CHECK_EQUAL(hmm_discard(h->pager, P, P + 1, NULL), 0); // until its contents are given up
    expect(h, P, 0);
    put(h, P, 9);
    expect(h, P, 9);
    close_heap(h);
  }
}

// Also if nothing else works meanwhile, as long as that is for want of the host's memory, or something of the device's does work.
static void a_driver_that_is_short_of_something_loses_nothing(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  static const int flushes[] = {0, -5, -6, -5, -6}, queues[] = {-5, 0, -5, -6, -6};
  for (size_t i = 0; i < sizeof flushes / sizeof *flushes; i++) {
    struct heap *h = on_device(shape);
    struct hmm_failure failure = {0};
    fake_fail(READS(shape), -5, 0, 1000);
    if (flushes[i]) fake_fail(HMM_CL_FLUSH, flushes[i], 0, 1000);
    if (queues[i]) fake_fail(HMM_CL_CREATE_QUEUE, queues[i], 0, 1000);
    CHECK_EQUAL(hmm_fetch(h->pager, P, P + 2, HMM_EXCLUSIVE, NULL, NULL, &failure), -EIO);
    CHECK_EQUAL(failure.status, -5);
    CHECK_EQUAL(state(h, P), DEVICE);
    CHECK_EQUAL(counted(h, HMM_POISONED), 0);
    fake_reset();
    expect(h, P, P + 1);
    close_heap(h);
  }
}

// One device is lost, another is not: only what the one had is poisoned.
static void losing_one_device_poisons_nothing_of_another(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  for (uint64_t lost = 0; lost < 2; lost++) {
    struct heap *h = open_heap(shape, 32, 1);
    for (uint64_t page = 0; page < 32; page++) CHECK(move_to(h, page, page / 4 % 2, true));
    struct hmm_failure failure = {0};
    int asked_before = shape->way == STAGED ? (int)lost : shape->way == BY_COPIES ? (int)lost * 2 : 7 - (int)lost; // for want of slots the first of each device; or from the last on
    fake_fail(HMM_CL_EVENT_INFO, LOST, asked_before, 1);
    CHECK_EQUAL(hmm_fetch(h->pager, 0, 32, HMM_EXCLUSIVE, NULL, NULL, &failure), -EIO);
    CHECK_EQUAL(failure.device, lost);
    for (uint64_t page = 0; page < 32; page++) {
      if (state(h, page) == POISONED) CHECK_EQUAL(page / 4 % 2, lost);
      else expect(h, page, 0);
    }
    CHECK_EQUAL(state(h, (uint64_t)failure.page), POISONED);
    close_heap(h);
  }
}

// Without anybody who wants to know why.
static void a_failure_may_go_unasked(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  struct heap *h = on_device(shape);
  fake_fail(READS(shape), LOST, 0, 1000);
  CHECK_EQUAL(hmm_fetch(h->pager, P, P + 1, 0, NULL, NULL, NULL), -EIO);
  CHECK_EQUAL(state(h, P), POISONED);
  close_heap(h);
}

// A wait that fails says nothing about the command: it is waited for all the same, and its bytes arrive once.
static void a_wait_may_fail_before_the_command_has_ended(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  struct heap *h = on_device(shape);
  struct toucher t;
  int reads = fake_calls_of(READS(shape));
  fake_hold(true);
  fake_fail_waits(-5, 3);
  start_toucher(&t, h, P, false, 0);
  AWAIT(!fake_failing_waits());
  CHECK(!t.done);
  fake_hold(false);
  join_toucher(&t);
  CHECK(!t.error);
  CHECK_EQUAL(t.value, P + 1);
  CHECK_EQUAL(fake_calls_of(READS(shape)) - reads, 1);
  close_heap(h);
}

// A command that never ends is given up. Its device is lost, and what it may still write to is nobody's until it has ended.
static void a_late_command_writes_to_nobody(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  for (int by_touch = 0; by_touch < 2; by_touch++) {
    struct heap *h = on_device(shape);
    unsigned char value;
    fake_hold(true);
    fake_fail_waits(-5, 1000000);
    if (by_touch) CHECK(touch_read(h, P, &value));
    else CHECK_EQUAL(fetch(h, P, P + 1, HMM_EXCLUSIVE), -EIO);
    CHECK_EQUAL(state(h, P), POISONED);
    struct launching l = {0};
    CHECK_EQUAL(launch(h, &l, 0, 8, 12, true), -EIO); // its frames, too
    CHECK_EQUAL(l.failure.status, -2);
    CHECK(touch_read(h, P + 1, &value)); // nothing is asked of it any more
    CHECK_EQUAL(state(h, P + 1), POISONED);
    if (shape->way == COMMANDS) { // else it lands in the staging memory
      struct hmm_failure failure = {0};
      CHECK_EQUAL(hmm_may_be_written(h->pager, 0, 32), 1);
      CHECK_EQUAL(hmm_may_be_written(h->pager, P + 1, 32), 0);
      CHECK_EQUAL(hmm_discard(h->pager, P, P + 1, &failure), -EIO);
      CHECK(failure.reason == HMM_OPENCL && failure.status == -2 && failure.page == P);
      CHECK_EQUAL(state(h, P), POISONED);
    }
    CHECK_EQUAL(hmm_discard(h->pager, P + 1, P + 2, NULL), 0);
    put(h, P + 1, 77);
    fake_reset();
    fake_hold(false);
    AWAIT(!hmm_may_be_written(h->pager, 0, 32));
    expect(h, P + 1, 77);
    CHECK_EQUAL(hmm_discard(h->pager, P, P + 1, NULL), 0);
    expect(h, P, 0);
    close_heap(h);
  }
}

// Closing does not wait for it for ever: the file stays mapped where it writes to.
static void closing_on_a_lost_device_ends(const struct shape *shape) {
  if (shape->way != COMMANDS) return;
  struct heap *h = on_device(shape);
  fake_hold(true);
  fake_fail_waits(-5, 1000000);
  CHECK_EQUAL(fetch(h, P, P + 1, HMM_EXCLUSIVE), -EIO);
  CHECK_EQUAL(hmm_close(h->pager), -EBUSY);
  fake_reset();
  fake_hold(false);
  AWAIT(!fake_live_events()); // it has ended after all
  free_heap(h);
}

// Many threads, a few pages, errors and none: nobody sleeps for ever and nobody sees wrong contents.
struct crowd {
  struct heap *heap;
  uint64_t seed;
  _Atomic bool *over;
};

static void *touch_on(void *arg) {
  struct crowd *c = arg;
  while (!*c->over) {
    uint64_t page = next_random(&c->seed) % 8;
    unsigned char value;
    if (!touch_read(c->heap, page, &value)) CHECK_EQUAL(value, page + 1);
  }
  return NULL;
}

static void errors_come_and_go_under_many_threads(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  struct heap *h = on_device(shape);
  _Atomic bool over = false;
  struct crowd crowd[4];
  pthread_t threads[4];
  for (uint64_t i = 0; i < 4; i++) {
    crowd[i] = (struct crowd){h, i + 1, &over};
    threads[i] = start_thread(touch_on, &crowd[i]);
  }
  for (int round = 0; round < (shape->quick ? 60 : 300); round++) {
    if (round % 3 == 0) fake_fail(READS(shape), -5, 0, 7);
    for (uint64_t page = 0; page < 8; page++) move_to(h, page, 0, true);
  }
  over = true;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  fake_reset();
  for (uint64_t page = 0; page < 8; page++) {
    unsigned char value;
    AWAIT(!touch_read(h, page, &value)); // an error of one of several threads may be left over
    CHECK_EQUAL(value, page + 1);
  }
  close_heap(h);
}

// An error within a system call is the call's; the next touch of the page is judged by its word, not by what happened to another.
static void a_refused_system_call_leaves_no_trace(const struct shape *shape) {
  if (shape->rung != HMM_UFFD_SYSCALL && shape->rung != HMM_UFFD_DEVICE) return; // the others promise nothing about system calls
  struct heap *h = open_heap(shape, 32, 1);
  put(h, P, 10);
  put(h, P + 1, 11);
  state(h, P);
  CHECK_EQUAL(hmm_forbid(h->pager, P, P + 1, 1), 0);
  set_word(h, P, word(h, P) | DENY_WRITE); // between Java's word and hmm_set_access
  CHECK_EQUAL(pread(h->memfd, (void *)(uintptr_t)(h->app + P * PAGE), 1, (P + 1) * PAGE), -1);
  CHECK_EQUAL(errno, EFAULT);
  expect(h, P, 10);
  CHECK(touch_write(h, P, 1));
  close_heap(h);
}

const struct test error_tests[] = {
    {"a_slot_outlasts_a_failed_unmap", a_slot_outlasts_a_failed_unmap, NEEDS_TRAP},
    {"a_copy_that_fails_is_tried_again", a_copy_that_fails_is_tried_again, NEEDS_TRAP},
    {"a_copy_that_fails_for_good_is_an_error", a_copy_that_fails_for_good_is_an_error, 0},
    {"a_neighbour_may_fail", a_neighbour_may_fail, NEEDS_TRAP},
    {"a_fetch_that_fails_pins_nothing", a_fetch_that_fails_pins_nothing, 0},
    {"a_long_fetch_may_fail_in_part", a_long_fetch_may_fail_in_part, 0},
    {"what_a_lost_device_had_is_poisoned", what_a_lost_device_had_is_poisoned, 0},
    {"a_driver_that_is_short_of_something_loses_nothing", a_driver_that_is_short_of_something_loses_nothing, 0},
    {"losing_one_device_poisons_nothing_of_another", losing_one_device_poisons_nothing_of_another, 0},
    {"a_failure_may_go_unasked", a_failure_may_go_unasked, 0},
    {"a_wait_may_fail_before_the_command_has_ended", a_wait_may_fail_before_the_command_has_ended, 0},
    {"closing_on_a_lost_device_ends", closing_on_a_lost_device_ends, ONE_WAY},
    {"a_late_command_writes_to_nobody", a_late_command_writes_to_nobody, 0},
    {"errors_come_and_go_under_many_threads", errors_come_and_go_under_many_threads, 0},
    {"a_refused_system_call_leaves_no_trace", a_refused_system_call_leaves_no_trace, ONE_WAY},
    {0},
};
