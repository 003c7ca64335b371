// patience_test.c - touches that wait long for a launch: they are told of, and end in time. And touches that are
// refused, which are told of, too.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOON 20000000ULL // nanoseconds

static struct hmm_notice next_notice(struct heap *h) {
  struct hmm_notice notice;
  CHECK_EQUAL(hmm_await_notice(h->pager, &notice), 1);
  return notice;
}

struct named_toucher {
  struct toucher toucher;
  _Atomic long thread;
};

static void *touch_named(void *arg) {
  struct named_toucher *t = arg;
  t->thread = syscall(SYS_gettid);
  t->toucher.error = touch_read(t->toucher.heap, t->toucher.page, &t->toucher.value);
  return NULL;
}

static void a_long_wait_is_told_and_ends(const struct shape *shape) {
  struct heap *h = open_heap(shape, 16, 1);
  CHECK(move_to(h, 3, 0, true));
  fill_frame(h, 0, 3, 33);
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, 3, 4, true);
  struct named_toucher t = {.toucher = {.heap = h, .page = 3}};
  pthread_t thread = start_thread(touch_named, &t);
  struct hmm_notice waits = next_notice(h);
  CHECK_EQUAL(waits.kind, HMM_NOTICE_WAITS);
  CHECK_EQUAL(waits.page, 3);
  CHECK_EQUAL(waits.write, 0);
  CHECK_EQUAL(waits.thread, t.thread);
  CHECK_EQUAL(waits.device, 0);
  CHECK(!strcmp(waits.kernel, "test_kernel"));
  CHECK(waits.now - waits.started >= HMM_LONG_WAIT_NANOS);
  CHECK_EQUAL(hmm_end_notices(h->pager), 0); // what has been told is told to its end
  let_go(&k);
  struct hmm_notice ended = next_notice(h);
  CHECK_EQUAL(ended.kind, HMM_NOTICE_ENDED);
  CHECK_EQUAL(ended.started, waits.started);
  CHECK(ended.now >= waits.now);
  pthread_join(thread, NULL);
  CHECK_EQUAL(t.toucher.error, 0);
  CHECK_EQUAL(t.toucher.value, 33);
  CHECK_EQUAL(hmm_await_notice(h->pager, &ended), 0);
  close_heap(h);
}

// Lets it go and waits until that has been noticed: a touch that may wait for a moment only need not find it out within that.
static void end_kernel(struct heap *h, struct stopped_kernel *k) {
  let_go(k);
  CHECK_EQUAL(hmm_await_all(h->pager), 0);
}

// The touch is an error; the page stays where it is, the launch goes on, and the next touch finds what the kernel has written.
static void a_touch_gives_up_in_time(const struct shape *shape) {
  for (int write = 0; write < 2; write++) {
    struct heap *h = open_heap_with_touch_timeout(shape, 16, SOON);
    CHECK(move_to(h, 3, 0, true));
    struct stopped_kernel k;
    launch_stopped(h, &k, 0, 3, 4, true);
    unsigned char value;
    CHECK_EQUAL(write ? touch_write(h, 3, 1) : touch_read(h, 3, &value), SIGBUS);
    CHECK_EQUAL(state(h, 3), DEVICE);
    struct hmm_notice refused = next_notice(h); // so soon that no long wait was told of
    CHECK_EQUAL(refused.kind, HMM_NOTICE_REFUSED);
    CHECK_EQUAL(refused.page, 3);
    CHECK_EQUAL(refused.failure.reason, 0);
    fill_frame(h, 0, 3, 44);
    CHECK_EQUAL(touch_read(h, 3, &value), SIGBUS); // again: the kernel runs still
    end_kernel(h, &k);
    expect(h, 3, 44);
    put(h, 3, 45);
    expect(h, 3, 45);
    close_heap(h);
  }
}

// A write waits for kernels that read, too.
static void a_write_gives_up_on_readers(const struct shape *shape) {
  struct heap *h = open_heap_with_touch_timeout(shape, 16, SOON);
  put(h, 5, 50);
  CHECK(move_to(h, 5, 0, false));
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, 5, 6, false);
  expect(h, 5, 50);
  CHECK_EQUAL(touch_write(h, 5, 51), SIGBUS);
  expect(h, 5, 50);
  CHECK_EQUAL(state(h, 5), SHARED);
  end_kernel(h, &k);
  put(h, 5, 52);
  expect(h, 5, 52);
  close_heap(h);
}

// Who gives a page another frame, or takes a move back, keeps a claim no longer than a touch may wait for it.
static void changes_give_up_in_time(const struct shape *shape) {
  struct heap *h = open_heap_with_touch_timeout(shape, 16, SOON);
  uint64_t pages[] = {3, 4, 5}, committed[3], before[3];
  for (int i = 0; i < 3; i++) {
    put(h, pages[i], (unsigned char)(30 + i));
    state(h, pages[i]);
    before[i] = word(h, pages[i]);
    CHECK(move_to(h, pages[i], 0, true));
    committed[i] = word(h, pages[i]);
  }
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, 3, 5, true);
  CHECK_EQUAL(relocate(h, 0, 4, 5, h->pages + 1, NULL), -ETIMEDOUT);
  CHECK_EQUAL(extents_get(&h->devices[0].frame_of_page, 4), 5);
  CHECK_EQUAL(state(h, 4), DEVICE);
  committed[1] = word(h, 4);
  CHECK_EQUAL(hmm_undo(h->pager, 0, 0, 0, 3, pages, committed, before), 1); // of which the kernel knows nothing
  CHECK_EQUAL(state(h, 3), DEVICE);
  CHECK_EQUAL(state(h, 4), DEVICE);
  CHECK_EQUAL(state(h, 5), HOST);
  expect(h, 5, 32);
  fill_frame(h, 0, 4, 44);
  end_kernel(h, &k);
  CHECK_EQUAL(relocate(h, 0, 4, 5, h->pages + 1, NULL), 1);
  expect(h, 4, 44);
  close_heap(h);
}

// Behind a view that waits for the launch, with claims, a touch ends in time as well.
static void *fetch_page(void *arg) {
  struct heap *h = arg;
  CHECK_EQUAL(fetch(h, 3, 4, HMM_EXCLUSIVE | HMM_PIN), 0);
  return NULL;
}

static void a_touch_behind_a_view_gives_up_in_time(const struct shape *shape) {
  struct heap *h = open_heap_with_touch_timeout(shape, 16, SOON);
  CHECK(move_to(h, 3, 0, true));
  fill_frame(h, 0, 3, 44);
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, 3, 4, true);
  pthread_t thread = start_thread(fetch_page, h);
  AWAIT(word_state(word(h, 3)) == TO_HOST);
  unsigned char value;
  CHECK_EQUAL(touch_read(h, 3, &value), SIGBUS);
  end_kernel(h, &k);
  pthread_join(thread, NULL);
  expect(h, 3, 44);
  unpin(h, 3, true);
  close_heap(h);
}

static void a_refused_touch_is_told(const struct shape *shape) {
  struct heap *h = open_heap(shape, 16, 1);
  put(h, 4, 40);
  protect(h, 4, 1);
  expect(h, 4, 40);
  CHECK_EQUAL(touch_write(h, 4, 41), SIGBUS);
  struct hmm_notice refused = next_notice(h);
  CHECK_EQUAL(refused.kind, HMM_NOTICE_REFUSED);
  CHECK_EQUAL(refused.page, 4);
  CHECK_EQUAL(refused.write, 1);
  CHECK_EQUAL(refused.thread, syscall(SYS_gettid));
  CHECK_EQUAL(refused.failure.reason, HMM_REFUSED);
  CHECK_EQUAL(refused.failure.page, 4);
  CHECK((uint64_t)refused.failure.word & DENY_WRITE);
  close_heap(h);
}

const struct test patience_tests[] = {
    {"a_refused_touch_is_told", a_refused_touch_is_told, NEEDS_TRAP},
    {"a_long_wait_is_told_and_ends", a_long_wait_is_told_and_ends, NEEDS_TRAP | ONE_WAY},
    {"a_touch_gives_up_in_time", a_touch_gives_up_in_time, NEEDS_TRAP},
    {"a_write_gives_up_on_readers", a_write_gives_up_on_readers, NEEDS_TRAP | ONE_WAY},
    {"changes_give_up_in_time", changes_give_up_in_time, 0},
    {"a_touch_behind_a_view_gives_up_in_time", a_touch_behind_a_view_gives_up_in_time, NEEDS_TRAP | ONE_WAY},
    {0},
};
