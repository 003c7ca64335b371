// ahead_test.c - what one fault brings along.
#include "heap.h"
#include "pager.h"

#define PAGES 512

static struct heap *pages_on_device(const struct shape *shape, uint64_t pages, uint64_t ahead) {
  struct heap *h = open_heap(shape, pages, ahead);
  for (uint64_t page = 0; page < pages; page++) {
    h->alias[page * PAGE + MIDDLE] = (unsigned char)(page % 251);
    CHECK(move_to(h, page, 0, true));
  }
  count_from_now(h);
  return h;
}

static struct heap *all_on_device(const struct shape *shape, uint64_t ahead) { return pages_on_device(shape, PAGES, ahead); }

static bool streams_rest(struct heap *h) {
  bool rest = true;
  pthread_mutex_lock(&h->pager->streams.lock);
  for (int i = 0; i < STREAMS; i++) rest &= !h->pager->streams.all[i].under_way;
  pthread_mutex_unlock(&h->pager->streams.lock);
  return rest;
}

// Waits until a window has come whole and its stream knows it: a touch before that could meet a page on its way, and be a fault of its own.
static void await_window(struct heap *h, uint64_t first, uint64_t pages, enum state as) {
  for (uint64_t page = first; page < first + pages && page < h->pages; page++) AWAIT(state(h, page) == as);
  AWAIT(streams_rest(h));
}

static void read_window(struct heap *h, uint64_t first, uint64_t pages) {
  expect(h, first, (unsigned char)(first % 251));
  await_window(h, first, pages, SHARED);
}

// Faults of a scan: the first brings one page, each further one four times as many, up to the published number.
static void a_scan_brings_growing_windows(const struct shape *shape) {
  struct heap *h = all_on_device(shape, 128);
  const uint64_t windows[] = {1, 4, 16, 64, 128, 128, 128, 43};
  uint64_t at = 0;
  for (int i = 0; i < 8; at += windows[i], i++) read_window(h, at, windows[i]);
  CHECK_EQUAL(at, PAGES);
  for (uint64_t page = 0; page < PAGES; page++) expect(h, page, (unsigned char)(page % 251));
  CHECK_EQUAL(counted(h, HMM_FETCHED), PAGES);
  CHECK_EQUAL(counted(h, HMM_AHEAD), PAGES - 8);
  CHECK_EQUAL(counted(h, HMM_FAULTS_READ), 8);
  close_heap(h);
}

// However the scan and what comes along overtake each other, each page comes once, with its bytes.
static void a_scan_that_does_not_wait(const struct shape *shape) {
  struct heap *h = all_on_device(shape, 128);
  for (uint64_t page = 0; page < PAGES; page++) expect(h, page, (unsigned char)(page % 251));
  CHECK_EQUAL(counted(h, HMM_FETCHED), PAGES);
  close_heap(h);
}

// The window, page by page, while the scan touches only the first page behind the last window.
static void the_window_is_what_was_published(const struct shape *shape) {
  struct heap *h = all_on_device(shape, 16);
  uint64_t at = 0;
  const uint64_t windows[] = {1, 4, 16, 16, 16};
  for (int i = 0; i < 5; i++) {
    expect(h, at, (unsigned char)(at % 251));
    AWAIT(state(h, at + windows[i] - 1) == SHARED);
    CHECK_EQUAL(state(h, at + windows[i]), DEVICE);
    at += windows[i];
  }
  close_heap(h);
}

static void a_window_ends_with_its_region(const struct shape *shape) {
  struct heap *h = all_on_device(shape, 64);
  h->region_starts[30] = 1;
  expect(h, 0, 0);
  expect(h, 1, 1);
  expect(h, 5, 5);
  expect(h, 21, 21); // wants 64
  AWAIT(state(h, 29) == SHARED);
  CHECK_EQUAL(state(h, 30), DEVICE);
  close_heap(h);
}

static void a_window_ends_where_pages_differ(const struct shape *shape) {
  struct heap *h = all_on_device(shape, 64);
  h->words[8] = word_next(h->words[8], UNMAPPED, 0, 0, 0);
  h->words[3] |= DENY_READ;
  expect(h, 0, 0);
  expect(h, 1, 1); // wants 4
  AWAIT(state(h, 2) == SHARED);
  CHECK_EQUAL(state(h, 3), DEVICE);
  CHECK_EQUAL(state(h, 4), DEVICE);
  expect(h, 5, 5); // wants 16
  AWAIT(state(h, 7) == SHARED);
  CHECK_EQUAL(state(h, 8), UNMAPPED);
  CHECK_EQUAL(state(h, 9), DEVICE);
  close_heap(h);
}

static void random_touches_bring_one_page(const struct shape *shape) {
  struct heap *h = all_on_device(shape, 128);
  uint64_t touched = 0;
  for (uint64_t page = 7; touched < 60; page = (page + 199) % PAGES, touched++) expect(h, page, (unsigned char)(page % 251));
  CHECK_EQUAL(counted(h, HMM_FETCHED), 60);
  CHECK_EQUAL(counted(h, HMM_AHEAD), 0);
  close_heap(h);
}

static void two_scans_at_once_are_two_streams(const struct shape *shape) {
  struct heap *h = all_on_device(shape, 16);
  uint64_t at = 0;
  for (uint64_t i = 0, pages = 1; i < 12; i++, at += pages, pages = pages < 16 ? pages * 4 : 16) {
    read_window(h, at, pages);
    read_window(h, 256 + at, pages);
  }
  CHECK_EQUAL(counted(h, HMM_AHEAD), 2 * (at - 12));
  CHECK_EQUAL(counted(h, HMM_FAULTS_READ), 24);
  close_heap(h);
}

// What a scan has brought, and the device has got back since, is no longer on its way.
static void a_scan_in_an_old_window_brings_windows(const struct shape *shape) {
  struct heap *h = all_on_device(shape, PAGES);
  const uint64_t before[] = {0, 1, 5, 21, 85, 341, PAGES}, then[] = {400, 401, 405, 421, 485, PAGES};
  for (int i = 0; i < 6; i++) read_window(h, before[i], before[i + 1] - before[i]);
  for (uint64_t page = 0; page < PAGES; page++) CHECK(move_to(h, page, 0, true));
  count_from_now(h);
  for (int i = 0; i < 5; i++) read_window(h, then[i], then[i + 1] - then[i]);
  CHECK_EQUAL(counted(h, HMM_FETCHED), PAGES - 400);
  CHECK_EQUAL(counted(h, HMM_FAULTS_READ), 5);
  close_heap(h);
}

// A window of 4 MiB leaves its mark, here with windows from page 341 on.
#define MARKED_PAGES 3500
#define WINDOW 1024
#define MARK (341 + WINDOW / 2)

static struct heap *marked(const struct shape *shape) {
  struct heap *h = pages_on_device(shape, MARKED_PAGES, WINDOW);
  const uint64_t before[] = {0, 1, 5, 21, 85, 341};
  for (int i = 0; i < 5; i++) read_window(h, before[i], before[i + 1] - before[i]);
  return h;
}

static void await_marked_window(struct heap *h, uint64_t first, uint64_t mark) {
  for (uint64_t page = first; page < first + WINDOW; page++) AWAIT(state(h, page) == (page == mark ? DEVICE : SHARED));
  AWAIT(streams_rest(h));
}

static void a_scan_goes_on_when_it_comes_to_a_mark(const struct shape *shape) {
  struct heap *h = marked(shape);
  uint64_t first = 341;
  expect(h, first, (unsigned char)(first % 251));
  for (; first + 2 * WINDOW < MARKED_PAGES; first += WINDOW) {
    uint64_t mark = first + WINDOW / 2;
    await_marked_window(h, first, mark);
    CHECK_EQUAL(state(h, first + WINDOW), DEVICE);
    expect(h, mark, (unsigned char)(mark % 251));
    await_marked_window(h, first + WINDOW, mark + WINDOW);
  }
  for (uint64_t page = 0; page < first + WINDOW / 2; page++) expect(h, page, (unsigned char)(page % 251));
  CHECK_EQUAL(counted(h, HMM_FAULTS_READ), 6 + (first - 341) / WINDOW);
  close_heap(h);
}

static void a_scan_with_marks_that_does_not_wait(const struct shape *shape) {
  struct heap *h = pages_on_device(shape, MARKED_PAGES, WINDOW);
  for (uint64_t page = 0; page < MARKED_PAGES; page++) expect(h, page, (unsigned char)(page % 251));
  CHECK_EQUAL(counted(h, HMM_FETCHED), MARKED_PAGES);
  close_heap(h);
}

static void a_mark_leads_to_no_other_region(const struct shape *shape) {
  for (int other = 0; other < 2; other++) { // or to pages that are different
    struct heap *h = marked(shape);
    if (other) h->words[341 + WINDOW] |= DENY_WRITE;
    else h->region_starts[341 + WINDOW] = 1;
    expect(h, 341, 341 % 251);
    await_marked_window(h, 341, MARK);
    expect(h, MARK, MARK % 251);
    AWAIT(streams_rest(h));
    CHECK_EQUAL(counted(h, HMM_FETCHED), 341 + WINDOW);
    CHECK_EQUAL(state(h, 341 + WINDOW), DEVICE);
    close_heap(h);
  }
}

static void a_window_that_ends_early_has_no_mark(const struct shape *shape) {
  struct heap *h = marked(shape);
  h->region_starts[341 + WINDOW - 1] = 1;
  expect(h, 341, 341 % 251);
  await_window(h, 341, WINDOW - 1, SHARED);
  CHECK_EQUAL(state(h, 341 + WINDOW - 1), DEVICE);
  close_heap(h);
}

// What was read once and is on the device again: a touch of the mark is one like any other.
static void an_old_mark_leads_nowhere(const struct shape *shape) {
  struct heap *h = marked(shape);
  expect(h, 341, 341 % 251);
  await_marked_window(h, 341, MARK);
  for (uint64_t page = 0; page < MARKED_PAGES; page++) CHECK(move_to(h, page, 0, true));
  count_from_now(h);
  expect(h, MARK, MARK % 251);
  CHECK_EQUAL(counted(h, HMM_FETCHED), 1);
  close_heap(h);
}

static void nothing_comes_along_where_nothing_was_published(const struct shape *shape) {
  struct heap *h = all_on_device(shape, 0);
  for (uint64_t page = 0; page < 20; page++) expect(h, page, (unsigned char)page);
  CHECK_EQUAL(counted(h, HMM_AHEAD), 0);
  close_heap(h);
}

// First touches of a scan, too; and the end of the heap stops it.
static void first_touches_come_along(const struct shape *shape) {
  struct heap *h = open_heap(shape, 40, 64);
  const uint64_t starts[] = {0, 1, 5, 21, 40};
  for (int i = 0; i < 4; i++) {
    put(h, starts[i], (unsigned char)starts[i]);
    await_window(h, starts[i], starts[i + 1] - starts[i], HOST);
  }
  for (uint64_t page = 0; page < 40; page++) put(h, page, (unsigned char)page);
  for (uint64_t page = 0; page < 40; page++) expect(h, page, (unsigned char)page);
  CHECK_EQUAL(counted(h, HMM_FIRST_TOUCHES), 40);
  CHECK_EQUAL(counted(h, HMM_AHEAD), 36);
  close_heap(h);
}

// A page that a running launch uses must not keep a touch of its neighbour waiting, nor be taken from the launch by it.
static void a_window_ends_before_pages_in_use(const struct shape *shape) {
  struct heap *h = all_on_device(shape, 64);
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, 7, 9, true);
  expect(h, 0, 0);
  expect(h, 1, 1);
  expect(h, 5, 5); // wants 16
  AWAIT(state(h, 6) == SHARED);
  CHECK_EQUAL(state(h, 7), DEVICE);
  expect(h, 9, 9);
  let_go(&k);
  expect(h, 7, 7);
  close_heap(h);
}

// One round of a word that a kernel changes and the host reads; and writes, if it does. Returns what reading made of the page.
static enum state turn(struct heap *h, uint64_t page, unsigned char value, bool writes) {
  CHECK(move_to(h, page, 0, true));
  expect(h, page, value);
  enum state found = state(h, page);
  if (writes) put(h, page, (unsigned char)(value + 1));
  return found;
}

static void what_is_always_written_is_taken_at_once(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 128);
  unsigned char value = 0;
  for (int i = 0; i < 3; i++) CHECK_EQUAL(turn(h, 5, value++, true), SHARED);
  count_from_now(h);
  for (int i = 0; i < 10; i++) CHECK_EQUAL(turn(h, 5, value++, true), HOST);
  CHECK_EQUAL(counted(h, HMM_FAULTS_WRITE), 0);
  CHECK_EQUAL(turn(h, 7, 0, true), SHARED); // a habit is of one page
  int taken = 0; // that it is only read now is noticed in the end
  while (turn(h, 5, value, false) == HOST && taken < 100) taken++;
  CHECK(taken < 100);
  CHECK_EQUAL(turn(h, 5, value, false), SHARED);
  close_heap(h);
}

static void what_is_always_written_is_left_to_a_kernel_that_reads(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 128);
  for (int i = 0; i < 4; i++) turn(h, 5, (unsigned char)i, true);
  CHECK(move_to(h, 5, 0, true));
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, 5, 6, false);
  expect(h, 5, 4);
  CHECK_EQUAL(state(h, 5), SHARED);
  let_go(&k);
  close_heap(h);
}

static void what_is_always_written_is_shared_where_touches_bring_no_more(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  for (int i = 0; i < 8; i++) CHECK_EQUAL(turn(h, 5, (unsigned char)i, true), SHARED);
  close_heap(h);
}

const struct test ahead_tests[] = {
    {"a_scan_brings_growing_windows", a_scan_brings_growing_windows, NEEDS_TRAP | ONE_WAY},
    {"a_scan_that_does_not_wait", a_scan_that_does_not_wait, NEEDS_TRAP},
    {"the_window_is_what_was_published", the_window_is_what_was_published, NEEDS_TRAP | ONE_WAY},
    {"a_window_ends_with_its_region", a_window_ends_with_its_region, NEEDS_TRAP | ONE_WAY},
    {"a_window_ends_where_pages_differ", a_window_ends_where_pages_differ, NEEDS_TRAP | ONE_WAY},
    {"random_touches_bring_one_page", random_touches_bring_one_page, NEEDS_TRAP | ONE_WAY},
    {"two_scans_at_once_are_two_streams", two_scans_at_once_are_two_streams, NEEDS_TRAP | ONE_WAY},
    {"a_scan_in_an_old_window_brings_windows", a_scan_in_an_old_window_brings_windows, NEEDS_TRAP},
    {"a_scan_goes_on_when_it_comes_to_a_mark", a_scan_goes_on_when_it_comes_to_a_mark, NEEDS_TRAP | ONE_WAY},
    {"a_scan_with_marks_that_does_not_wait", a_scan_with_marks_that_does_not_wait, NEEDS_TRAP},
    {"a_mark_leads_to_no_other_region", a_mark_leads_to_no_other_region, NEEDS_TRAP | ONE_WAY},
    {"a_window_that_ends_early_has_no_mark", a_window_that_ends_early_has_no_mark, NEEDS_TRAP | ONE_WAY},
    {"an_old_mark_leads_nowhere", an_old_mark_leads_nowhere, NEEDS_TRAP | ONE_WAY},
    {"nothing_comes_along_where_nothing_was_published", nothing_comes_along_where_nothing_was_published, NEEDS_TRAP | ONE_WAY},
    {"first_touches_come_along", first_touches_come_along, NEEDS_TRAP | ONE_WAY},
    {"a_window_ends_before_pages_in_use", a_window_ends_before_pages_in_use, NEEDS_TRAP | ONE_WAY},
    {"what_is_always_written_is_taken_at_once", what_is_always_written_is_taken_at_once, NEEDS_TRAP | ONE_WAY},
    {"what_is_always_written_is_left_to_a_kernel_that_reads", what_is_always_written_is_left_to_a_kernel_that_reads, NEEDS_TRAP | ONE_WAY},
    {"what_is_always_written_is_shared_where_touches_bring_no_more", what_is_always_written_is_shared_where_touches_bring_no_more, NEEDS_TRAP | ONE_WAY},
    {0},
};
