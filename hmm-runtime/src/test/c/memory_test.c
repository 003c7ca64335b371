// memory_test.c - giving host memory back, declaring contents dead, changing frames, and undoing moves.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PAGES 128

// Whether the page has host memory, as the file system tells.
static bool has_memory(struct heap *h, uint64_t page) {
  off_t at = (off_t)(page * PAGE);
  return lseek(h->memfd, at, SEEK_DATA) == at;
}

static struct heap *filled(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 16);
  for (uint64_t page = 0; page < PAGES; page++) put(h, page, (unsigned char)(page + 1));
  return h;
}

static void discarded_pages_are_empty(const struct shape *shape) {
  struct heap *h = filled(shape);
  CHECK(move_to(h, 1, 0, true) && move_to(h, 2, 0, false) && claim_for(h, 3, 0, false) && claim_for(h, 4, 0, true));
  set_word(h, 5, word_next(word(h, 5), POISONED, 0, 0, 0));
  protect(h, 6, 1);
  CHECK_EQUAL(hmm_discard(h->pager, 0, 100, NULL), 0);
  for (uint64_t page = 0; page < 100; page++) {
    CHECK_EQUAL(word_state(word(h, page)), EMPTY);
    CHECK_EQUAL(word_sharers(word(h, page)), 0);
    CHECK(!has_memory(h, page));
  }
  for (uint64_t page = 0; page < 100; page++) {
    expect(h, page, 0);
    if (page != 6) put(h, page, 9);
  }
  CHECK(touch_write(h, 6, 1)); // the region is what it was
  for (uint64_t page = 100; page < PAGES; page++) expect(h, page, (unsigned char)(page + 1));
  close_heap(h);
}

static void discarding_does_not_wait_for_launches(const struct shape *shape) {
  struct heap *h = filled(shape);
  struct stopped_kernel k;
  for (uint64_t page = 0; page < 4; page++) CHECK(move_to(h, page, 0, true));
  launch_stopped(h, &k, 0, 0, 4, true);
  CHECK_EQUAL(hmm_discard(h->pager, 0, 4, NULL), 0);
  fill_frame(h, 0, 1, 66); // by the kernel, as it were: dead contents stay dead
  for (uint64_t page = 0; page < 4; page++) expect(h, page, 0);
  let_go(&k);
  expect(h, 1, 0);
  close_heap(h);
}

struct discarding {
  struct heap *heap;
  _Atomic bool done;
};

// A touch that writes 50 has claimed a page that is on device 0, and keeps it until HMM_STEP_COPIED is let go.
static void claimed_by_toucher(struct heap *h, struct toucher *t, uint64_t page) {
  CHECK(move_to(h, page, 0, true));
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_COPIED, 1), 0);
  start_toucher(t, h, page, true, 50);
  CHECK_EQUAL(hmm_step_await(h->pager, HMM_STEP_COPIED, 30000), 1);
}

static void *discard_some(void *arg) {
  struct discarding *d = arg;
  CHECK_EQUAL(hmm_discard(d->heap->pager, 0, 20, NULL), 0);
  d->done = true;
  return NULL;
}

// It holds no other page meanwhile.
static void discarding_waits_for_a_claim(const struct shape *shape) {
  struct heap *h = filled(shape);
  struct toucher t;
  struct discarding d = {.heap = h};
  claimed_by_toucher(h, &t, 7);
  pthread_t thread = start_thread(discard_some, &d);
  AWAIT(word_state(word(h, 6)) == EMPTY);
  for (uint64_t page = 0; page < 20; page++) CHECK_EQUAL(word_state(word(h, page)) == TO_HOST, page == 7);
  CHECK(!d.done);
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_COPIED, 0), 0);
  join_toucher(&t);
  pthread_join(thread, NULL);
  unsigned char value = 1;
  CHECK_EQUAL(touch_read(h, 7, &value), 0);
  CHECK(value == 0 || value == 50); // the write came before, or as a first touch after
  for (uint64_t page = 0; page < 20; page++) CHECK(page == 7 || word_state(word(h, page)) == EMPTY);
  close_heap(h);
}

static void host_memory_of_pages_on_a_device_is_given_back(const struct shape *shape) {
  struct heap *h = filled(shape);
  for (uint64_t page = 10; page < 120; page++) {
    if (page % 10) CHECK(move_to(h, page, page % 2, page % 10 != 5));
  }
  CHECK_EQUAL(hmm_release_host(h->pager, 1, 0, PAGES), 11 * 4);
  CHECK_EQUAL(hmm_release_host(h->pager, 0, 0, PAGES), 11 * 4); // those of the other device are not its business
  for (uint64_t page = 0; page < PAGES; page++) CHECK_EQUAL(has_memory(h, page), state(h, page) != DEVICE);
  for (uint64_t page = 0; page < PAGES; page++) expect(h, page, (unsigned char)(page + 1));
  for (uint64_t page = 0; page < PAGES; page++) put(h, page, (unsigned char)(page + 2));
  for (uint64_t page = 0; page < PAGES; page++) CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], page + 2);
  CHECK_EQUAL(hmm_release_host(h->pager, 0, 0, PAGES), 0);
  close_heap(h);
}

// ---- relocation

static void new_tables(struct heap *h, uint64_t page, int32_t from, int32_t to) {
  struct fake_device *d = &h->devices[0];
  CHECK_EQUAL(extents_get(&d->frame_of_page, page), to + 1);
  CHECK_EQUAL(extents_get(&d->page_of_frame, (uint64_t)to), page + 1);
  CHECK_EQUAL(extents_get(&d->page_of_frame, (uint64_t)from), 0);
  CHECK_EQUAL(extents_get(&d->region_of_frame, (uint64_t)from), 0);
  CHECK_EQUAL(d->last_use[to], 5);
}

static void a_page_gets_another_frame(const struct shape *shape) {
  struct heap *h = filled(shape);
  struct fake_device *d = &h->devices[0];
  CHECK(move_to(h, 1, 0, true) && move_to(h, 2, 0, false) && move_to(h, 3, 1, true) && claim_for(h, 4, 0, true));
  fill_frame(h, 0, 1, 21);
  for (int32_t page = 0; page < 5; page++) {
    int32_t to = PAGES + 20 + page;
    bool valid = page == 1 || page == 2;
    extents_set(&d->region_of_frame, (uint64_t)page, 3);
    d->last_use[page] = 5;
    uint64_t before = word(h, (uint64_t)page);
    CHECK_EQUAL(relocate(h, 0, (uint64_t)page, (uint64_t)page + 1, (uint64_t)to, NULL), valid);
    new_tables(h, (uint64_t)page, page, to);
    CHECK_EQUAL(extents_get(&d->region_of_frame, (uint64_t)to), valid ? 3 : 0);
    CHECK_EQUAL(word_state(word(h, (uint64_t)page)), page == 4 ? HOST : word_state(before)); // a claim of Java is lost: it copies to the old frame
    CHECK_EQUAL(word_sharers(word(h, (uint64_t)page)), word_sharers(before));
  }
  memset((void *)frame(h, 0, 1), 22, 1); // the new frame is the page
  expect(h, 1, 21);
  CHECK_EQUAL(h->app[PAGE], 22);
  CHECK_EQUAL(frame(h, 0, 2)[MIDDLE], 3);
  for (uint64_t page = 2; page < 5; page++) expect(h, page, (unsigned char)(page + 1));
  close_heap(h);
}

static void a_failed_relocation_changes_nothing(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  struct heap *h = filled(shape);
  struct hmm_failure failure = {0};
  CHECK(move_to(h, 1, 0, true));
  fake_fail(HMM_CL_ENQUEUE_COPY, -5, 0, 1);
  CHECK_EQUAL(relocate(h, 0, 1, 2, PAGES + 1, &failure), -EIO);
  CHECK(failure.call == HMM_CALL_COPY && failure.status == -5 && failure.page == 1);
  CHECK_EQUAL(extents_get(&h->devices[0].frame_of_page, 1), 2);
  fake_fail_commands(-5, 1);
  CHECK_EQUAL(relocate(h, 0, 1, 2, PAGES + 1, &failure), -EIO);
  CHECK_EQUAL(state(h, 1), DEVICE);
  expect(h, 1, 2);
  close_heap(h);
}

// In as few commands as there are runs of what is there; and all or none.
static void a_range_gets_other_frames(const struct shape *shape) {
  enum { N = 12, TO = PAGES + CHUNK };
  struct heap *h = filled(shape);
  struct fake_device *d = &h->devices[0];
  for (uint64_t page = 0; page < N; page++) {
    if (page == 5) continue;
    CHECK(move_to(h, page, page == 8, true));
    fill_frame(h, page == 8, page, (unsigned char)(page + 60));
    d->last_use[page] = 5;
  }
  if (shape->way != REACHABLE) {
    struct hmm_failure failure = {0};
    for (int after = 0; after < 3; after++) {
      fake_fail(HMM_CL_ENQUEUE_COPY, -5, after, 1);
      CHECK_EQUAL(relocate(h, 0, 0, N, TO, &failure), -EIO);
      for (int32_t page = 0; page < N; page++) CHECK_EQUAL(extents_get(&d->frame_of_page, (uint64_t)page), page + 1);
    }
  }
  int before = fake_calls_of(HMM_CL_ENQUEUE_COPY);
  CHECK_EQUAL(relocate(h, 0, 0, N, TO, NULL), N - 2);
  CHECK_EQUAL(fake_calls_of(HMM_CL_ENQUEUE_COPY) - before, shape->way == REACHABLE ? 0 : 3);
  for (int32_t page = 0; page < N; page++) {
    CHECK_EQUAL(extents_get(&d->frame_of_page, (uint64_t)page), TO + page + 1);
    CHECK_EQUAL(extents_get(&d->page_of_frame, (uint64_t)(TO + page)), page + 1);
    CHECK_EQUAL(extents_get(&d->page_of_frame, (uint64_t)page), 0);
    CHECK_EQUAL(state(h, (uint64_t)page), page == 5 ? HOST : DEVICE);
  }
  for (uint64_t page = 0; page < N; page++) expect(h, page, (unsigned char)(page == 5 ? page + 1 : page + 60));
  CHECK_EQUAL(relocate(h, 0, 3, 3, TO, NULL), -EINVAL);
  close_heap(h);
}

// Nothing is held while others are waited for.
static void a_relocation_stops_at_a_claim(const struct shape *shape) {
  enum { N = 12, TO = PAGES + CHUNK };
  struct heap *h = filled(shape);
  struct toucher t;
  for (uint64_t page = 0; page < N; page++) CHECK(page == 7 || move_to(h, page, 0, true));
  claimed_by_toucher(h, &t, 7);
  uint64_t copied = 0;
  CHECK_EQUAL(hmm_relocate(h->pager, 0, 0, N, TO, &copied, NULL), 7);
  CHECK_EQUAL(copied, 7);
  for (uint64_t page = 0; page < N; page++) {
    CHECK_EQUAL(word_state(word(h, page)), page == 7 ? TO_HOST : DEVICE);
    CHECK_EQUAL(extents_get(&h->devices[0].frame_of_page, page), (page < 7 ? TO : 0) + page + 1);
  }
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_COPIED, 0), 0);
  join_toucher(&t);
  CHECK_EQUAL(hmm_relocate(h->pager, 0, 7, N, TO + 7, &copied, NULL), N - 7);
  CHECK_EQUAL(copied, N - 1); // what was touched is home
  for (uint64_t page = 0; page < N; page++) {
    CHECK_EQUAL(extents_get(&h->devices[0].frame_of_page, page), TO + page + 1);
    expect(h, page, (unsigned char)(page == 7 ? 50 : page + 1));
  }
  close_heap(h);
}

// A window that comes together and apart again, against launches that need it in one piece: under the device's lock they see that it is, as the Java part does, and it stays so until they have ended.
struct window {
  struct heap *heap;
  _Atomic bool over;
  _Atomic int torn;
};

static void *relocate_on(void *arg) {
  struct window *w = arg;
  struct fake_device *d = &w->heap->devices[0];
  for (uint64_t round = 0; !w->over; round++) {
    pthread_mutex_lock(&d->lock);
    CHECK_EQUAL(relocate(w->heap, 0, 2, 3, round % 2 ? 2 : PAGES + 2, NULL), 1);
    pthread_mutex_unlock(&d->lock);
  }
  return NULL;
}

static void look_at_window(void *arg) {
  struct window *w = arg;
  for (uint64_t page = 0; page < 4; page++) {
    if (extents_get(&w->heap->devices[0].frame_of_page, page) != (int32_t)page + 1) w->torn++;
    if (frame(w->heap, 0, page)[MIDDLE] != page + 1) w->torn++;
  }
}

static void a_window_does_not_come_apart_under_a_launch(const struct shape *shape) {
  struct heap *h = filled(shape);
  struct window w = {.heap = h};
  struct fake_device *d = &h->devices[0];
  int launched = 0;
  for (uint64_t page = 0; page < 4; page++) CHECK(move_to(h, page, 0, true));
  pthread_t thread = start_thread(relocate_on, &w);
  time_t until = time(NULL) + 10; // on a busy machine few get through: none of those may be torn either
  while (!launched || (launched < (shape->quick ? 50 : 300) && time(NULL) < until)) {
    struct launching l = {.kernel = {look_at_window, &w, 0}};
    pthread_mutex_lock(&d->lock);
    if (extents_get(&d->frame_of_page, 2) == 3) CHECK_EQUAL(launch(h, &l, 0, 0, 4, true), 0);
    pthread_mutex_unlock(&d->lock);
    if (!l.request.event) continue;
    fake_wait((void *)(uintptr_t)l.request.event);
    launched++;
  }
  w.over = true;
  pthread_join(thread, NULL);
  CHECK_EQUAL(w.torn, 0);
  close_heap(h);
}

// ---- undoing

// The clock has gone on at the other end of its range.
static void moves_without_a_launch_are_undone_at_any_time(const struct shape *shape) {
  const int32_t clocks[] = {0x7fffffff, INT32_MIN + 10};
  for (int i = 0; i < 2; i++) {
    struct heap *h = filled(shape);
    uint64_t page = 0, before = word(h, page);
    CHECK(move_to(h, page, 0, true));
    h->devices[0].last_use[extents_get(&h->devices[0].frame_of_page, page) - 1] = clocks[i];
    uint64_t committed = word(h, page);
    CHECK_EQUAL(hmm_undo(h->pager, 0, UINT64_MAX, (uint64_t)(int64_t)(clocks[i] - 1), 1, &page, &committed, &before), 0); // used since
    committed = word(h, page);
    CHECK_EQUAL(hmm_undo(h->pager, 0, UINT64_MAX, (uint64_t)(int64_t)clocks[i], 1, &page, &committed, &before), 1);
    close_heap(h);
  }
}

static void moves_without_a_launch_are_undone(const struct shape *shape) {
  struct heap *h = filled(shape);
  enum { N = 8 };
  uint64_t pages[N], committed[N], before[N];
  CHECK_EQUAL(hmm_discard(h->pager, 0, 2, NULL), 0);
  expect(h, 1, 0); // empty and read; 0 is empty; from 2 on the host's
  CHECK(move_to(h, 3, 1, false) && move_to(h, 4, 0, false));
  uint64_t launched = hmm_launched(h->pager, 0);
  for (uint64_t i = 0; i < N; i++) {
    pages[i] = i;
    state(h, i);
    before[i] = word(h, i);
    CHECK(move_to(h, i, 0, i != 3));
    committed[i] = word(h, i);
  }
  expect(h, 6, 7); // has come home meanwhile
  CHECK_EQUAL(fetch(h, 6, 7, HMM_EXCLUSIVE), 0);
  CHECK(move_to(h, 6, 0, true));
  struct launching l = {.request.clock = 9}; // and this one is used
  CHECK_EQUAL(launch(h, &l, 0, 7, 8, true), 0);
  fake_wait((void *)(uintptr_t)l.request.event);
  fill_frame(h, 0, 7, 70);
  CHECK_EQUAL(hmm_undo(h->pager, 0, launched, 8, N, pages, committed, before), 6);
  const enum state after[N] = {EMPTY, EMPTY, HOST, SHARED, SHARED, HOST, DEVICE, DEVICE};
  for (uint64_t i = 0; i < N; i++) CHECK_EQUAL(state(h, i), after[i]);
  CHECK_EQUAL(word_sharers(word(h, 3)), 2);
  CHECK_EQUAL(word_sharers(word(h, 4)), 1);
  CHECK(word(h, 1) & MARKED_READ);
  for (uint64_t i = 0; i < N; i++) expect(h, i, (unsigned char)(i < 2 ? 0 : i == 7 ? 70 : i + 1));
  for (uint64_t i = 0; i < N; i++) put(h, i, 1);
  close_heap(h);
}

// What a driver has allocated has no holes: what is given back is written with zeros, and nothing beside it.
static void memory_that_is_no_file_is_zeroed(const struct shape *shape) {
  if (shape->rung != HMM_CHECKED) return;
  struct heap *h = open_heap_in(NO_FILE, shape, PAGES, 1);
  for (uint64_t page = 0; page < PAGES; page++) {
    expect(h, page, 0);
    put(h, page, (unsigned char)(page + 1));
  }
  CHECK(move_to(h, 1, 0, true) && move_to(h, 2, 0, false));
  for (uint64_t page = 0; page < 4; page++) CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], page + 1); // it is the memory itself
  CHECK_EQUAL(hmm_discard(h->pager, 1, 10, NULL), 0);
  for (uint64_t page = 1; page < 10; page++) {
    CHECK_EQUAL(word_state(word(h, page)), EMPTY);
    for (uint64_t i = 0; i < PAGE; i++) CHECK_EQUAL(h->alias[page * PAGE + i], 0);
    expect(h, page, 0);
    put(h, page, 9);
  }
  CHECK(move_to(h, 3, 0, true));
  fill_frame(h, 0, 3, 77);
  for (uint64_t page = 0; page < PAGES; page++) expect(h, page, (unsigned char)(page == 3 ? 77 : page && page < 10 ? 9 : page + 1));
  close_heap(h);
}

const struct test memory_tests[] = {
    {"memory_that_is_no_file_is_zeroed", memory_that_is_no_file_is_zeroed, 0},
    {"discarded_pages_are_empty", discarded_pages_are_empty, 0},
    {"discarding_does_not_wait_for_launches", discarding_does_not_wait_for_launches, ONE_WAY},
    {"discarding_waits_for_a_claim", discarding_waits_for_a_claim, ONE_WAY},
    {"host_memory_of_pages_on_a_device_is_given_back", host_memory_of_pages_on_a_device_is_given_back, 0},
    {"a_page_gets_another_frame", a_page_gets_another_frame, NEEDS_TRAP},
    {"a_range_gets_other_frames", a_range_gets_other_frames, 0},
    {"a_relocation_stops_at_a_claim", a_relocation_stops_at_a_claim, ONE_WAY},
    {"a_failed_relocation_changes_nothing", a_failed_relocation_changes_nothing, 0},
    {"a_window_does_not_come_apart_under_a_launch", a_window_does_not_come_apart_under_a_launch, 0},
    {"moves_without_a_launch_are_undone", moves_without_a_launch_are_undone, 0},
    {"moves_without_a_launch_are_undone_at_any_time", moves_without_a_launch_are_undone_at_any_time, 0},
    {0},
};
