// ahead_test.c - what one fault brings along.
#include "heap.h"

#define PAGES 512

static struct heap *all_on_device(const struct shape *shape, uint64_t ahead) {
  struct heap *h = open_heap(shape, PAGES, ahead);
  for (uint64_t page = 0; page < PAGES; page++) {
    h->alias[page * PAGE + MIDDLE] = (unsigned char)(page % 251);
    CHECK(move_to(h, page, 0, true));
  }
  count_from_now(h);
  return h;
}

// Faults of a scan: the first brings one page, each further one four times as many, up to the published number.
static void a_scan_brings_growing_windows(const struct shape *shape) {
  struct heap *h = all_on_device(shape, 128);
  for (uint64_t page = 0; page < PAGES; page++) {
    expect(h, page, (unsigned char)(page % 251));
  }
  CHECK_EQUAL(counted(h, HMM_FETCHED), PAGES);
  CHECK(counted(h, HMM_AHEAD) > PAGES / 2);
  CHECK(counted(h, HMM_FAULTS_READ) < 64);
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
  for (uint64_t i = 0; i < 200; i++) {
    expect(h, i, (unsigned char)(i % 251));
    expect(h, 511 - 255 + i, (unsigned char)((511 - 255 + i) % 251));
  }
  CHECK(counted(h, HMM_AHEAD) > 300);
  close_heap(h);
}

// What a scan has brought, and the device has got back since, is no longer on its way.
static void a_scan_in_an_old_window_brings_windows(const struct shape *shape) {
  struct heap *h = all_on_device(shape, PAGES);
  for (uint64_t page = 0; page < PAGES; page++) expect(h, page, (unsigned char)(page % 251));
  for (uint64_t page = 0; page < PAGES; page++) CHECK(move_to(h, page, 0, true));
  count_from_now(h);
  for (uint64_t page = 400; page < PAGES; page++) expect(h, page, (unsigned char)(page % 251)); // the last window began at 341
  CHECK_EQUAL(counted(h, HMM_FETCHED), PAGES - 400);
  CHECK(counted(h, HMM_FAULTS_READ) < 32);
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
  for (uint64_t page = 0; page < 40; page++) put(h, page, (unsigned char)page);
  for (uint64_t page = 0; page < 40; page++) expect(h, page, (unsigned char)page);
  CHECK_EQUAL(counted(h, HMM_FIRST_TOUCHES), 40);
  CHECK(counted(h, HMM_AHEAD) > 20);
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

const struct test ahead_tests[] = {
    {"a_scan_brings_growing_windows", a_scan_brings_growing_windows, false},
    {"the_window_is_what_was_published", the_window_is_what_was_published, true},
    {"a_window_ends_with_its_region", a_window_ends_with_its_region, true},
    {"a_window_ends_where_pages_differ", a_window_ends_where_pages_differ, true},
    {"random_touches_bring_one_page", random_touches_bring_one_page, true},
    {"two_scans_at_once_are_two_streams", two_scans_at_once_are_two_streams, true},
    {"a_scan_in_an_old_window_brings_windows", a_scan_in_an_old_window_brings_windows, false},
    {"nothing_comes_along_where_nothing_was_published", nothing_comes_along_where_nothing_was_published, true},
    {"first_touches_come_along", first_touches_come_along, true},
    {"a_window_ends_before_pages_in_use", a_window_ends_before_pages_in_use, true},
    {0},
};
