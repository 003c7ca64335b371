// record_test.c - records of what was served: each says what happened, none is missed without being counted, and there are none while nobody wants them.
#include <stdlib.h>
#include <string.h>

#include "heap.h"

#define ROOM 8192 // as many records as are kept

// The next record, which comes a moment after its touch was answered.
static struct hmm_record next(struct heap *h) {
  struct hmm_record r;
  uint64_t lost = 0;
  AWAIT(hmm_take_records(h->pager, &r, 1, &lost) == 1);
  CHECK_EQUAL(lost, 0);
  CHECK(r.start <= r.claimed && r.claimed <= r.waited && r.waited <= r.copied && r.copied <= r.mapped && r.mapped <= r.end);
  CHECK(r.thread);
  return r;
}

static int64_t left(struct heap *h) {
  struct hmm_record r[8];
  return hmm_take_records(h->pager, r, 8, NULL);
}

static void nothing_unless_asked(const struct shape *shape) {
  struct heap *h = open_heap(shape, 8, 1);
  put(h, 1, 10);
  CHECK_EQUAL(left(h), 0);
  CHECK_EQUAL(hmm_record(h->pager, 1), 0);
  put(h, 2, 10);
  CHECK_EQUAL(next(h).first, 2);
  CHECK_EQUAL(hmm_record(h->pager, 0), 0);
  put(h, 3, 10);
  CHECK_EQUAL(left(h), 0);
  CHECK_EQUAL(hmm_record(h->pager, 1), 0);
  put(h, 4, 10);
  CHECK_EQUAL(next(h).first, 4);
  close_heap(h);
}

static void a_touch_says_what_it_found_and_did(const struct shape *shape) {
  struct heap *h = open_heap(shape, 8, 1);
  CHECK_EQUAL(hmm_record(h->pager, 1), 0);
  put(h, 3, 10);
  struct hmm_record r = next(h);
  CHECK_EQUAL(r.kind, HMM_RECORD_FAULT);
  CHECK_EQUAL(r.first, 3);
  CHECK_EQUAL(r.pages, 1);
  CHECK_EQUAL(r.found, EMPTY);
  CHECK_EQUAL(r.write, 1);
  CHECK_EQUAL(r.copied_pages, 0);
  CHECK_EQUAL(r.device, -1);

  CHECK(move_to(h, 3, 1, true));
  fill_frame(h, 1, 3, 20);
  expect(h, 3, 20);
  r = next(h);
  CHECK_EQUAL(r.found, DEVICE);
  CHECK_EQUAL(r.write, 0);
  CHECK_EQUAL(r.copied_pages, 1);
  CHECK_EQUAL(r.device, 1);
  CHECK_EQUAL(r.result, 0);

  put(h, 3, 30);
  r = next(h);
  CHECK_EQUAL(r.found, SHARED);
  CHECK_EQUAL(r.upgraded_pages, 1);
  CHECK_EQUAL(r.copied_pages, 0);

  CHECK(move_to(h, 3, 1, true));
  set_word(h, 3, word_next(word(h, 3), POISONED, 0, 0, 0));
  CHECK(touch_write(h, 3, 40));
  r = next(h);
  CHECK(r.result < 0);
  CHECK_EQUAL(r.pages, 0);
  CHECK_EQUAL(left(h), 0);
  close_heap(h);
}

// What came along is told too: all of it together is what was counted.
static void a_scan_adds_up(const struct shape *shape) {
  struct heap *h = open_heap(shape, 2000, 700);
  for (uint64_t page = 0; page < h->pages; page++) {
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(page % 253 + 1));
  }
  count_from_now(h);
  CHECK_EQUAL(hmm_record(h->pager, 1), 0);
  for (uint64_t page = 0; page < h->pages; page++) expect(h, page, (unsigned char)(page % 253 + 1));
  uint64_t copied = 0, ahead = 0;
  while (copied < h->pages) {
    struct hmm_record r = next(h);
    CHECK(r.kind == HMM_RECORD_FAULT || r.kind == HMM_RECORD_AHEAD);
    copied += r.copied_pages;
    ahead += r.kind == HMM_RECORD_AHEAD;
  }
  CHECK_EQUAL(copied, h->pages);
  CHECK(ahead > 0);
  CHECK_EQUAL(counted(h, HMM_FETCHED), h->pages);
  close_heap(h);
}

static void a_fetch_is_told_part_by_part(const struct shape *shape) {
  struct heap *h = open_heap(shape, 2500, 1);
  for (uint64_t page = 0; page < h->pages; page++) CHECK(move_to(h, page, 0, true));
  CHECK_EQUAL(hmm_record(h->pager, 1), 0);
  struct hmm_moved moved = {0};
  CHECK_EQUAL(hmm_fetch(h->pager, 0, h->pages, HMM_EXCLUSIVE, NULL, &moved, NULL), 0);
  CHECK_EQUAL(moved.devices, 1);
  CHECK_EQUAL(hmm_fetch(h->pager, 0, h->pages, HMM_EXCLUSIVE, NULL, NULL, NULL), 0); // all are at home: nothing to tell
  uint64_t pages = 0, copied = 0;
  struct hmm_record r;
  while (hmm_take_records(h->pager, &r, 1, NULL) == 1) {
    CHECK_EQUAL(r.kind, HMM_RECORD_FETCH);
    CHECK_EQUAL(r.first, pages);
    CHECK_EQUAL(r.device, 0);
    CHECK(r.waited <= r.copied && r.copied <= r.end);
    pages += r.pages;
    copied += r.copied_pages;
  }
  CHECK_EQUAL(pages, h->pages);
  CHECK_EQUAL(copied, moved.copied);
  close_heap(h);
}

static void an_insisting_launch_tells_of_each_page(const struct shape *shape) {
  struct heap *h = open_heap(shape, 8, 1);
  put(h, 2, 10);
  put(h, 3, 10);
  CHECK_EQUAL(hmm_record(h->pager, 1), 0);
  struct launching l = {.request.insist = 1};
  CHECK_EQUAL(launch(h, &l, 0, 2, 4, true), 0);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
  for (uint64_t page = 2; page < 4; page++) {
    struct hmm_record r = next(h);
    CHECK_EQUAL(r.kind, HMM_RECORD_INSIST);
    CHECK_EQUAL(r.first, page);
    CHECK_EQUAL(r.copied_pages, 1);
    CHECK_EQUAL(r.device, 0);
  }
  CHECK_EQUAL(left(h), 0);
  close_heap(h);
}

// Nobody looks: those who serve go on, and what found no room is counted.
static void a_full_ring_counts_what_it_loses(const struct shape *shape) {
  const uint64_t rounds = ROOM + 50;
  struct heap *h = open_heap(shape, 8, 1);
  put(h, 1, 10);
  CHECK_EQUAL(hmm_record(h->pager, 1), 0);
  count_from_now(h);
  for (uint64_t i = 0; i < rounds; i++) {
    CHECK(move_to(h, 1, 0, true));
    CHECK_EQUAL(hmm_fetch(h->pager, 1, 2, HMM_EXCLUSIVE, NULL, NULL, NULL), 0);
  }
  struct hmm_record *all = calloc(ROOM + 1, sizeof *all);
  CHECK(all);
  uint64_t lost = 1000;
  CHECK_EQUAL(hmm_take_records(h->pager, all, ROOM + 1, &lost), ROOM);
  CHECK_EQUAL(lost, 1000 + rounds - ROOM);
  CHECK_EQUAL(hmm_take_records(h->pager, all, ROOM + 1, &lost), 0);
  CHECK_EQUAL(lost, 1000 + rounds - ROOM); // told once
  put(h, 1, 20);
  expect(h, 1, 20);
  CHECK(move_to(h, 1, 0, true));
  fill_frame(h, 0, 1, 30);
  expect(h, 1, 30);
  CHECK_EQUAL(next(h).first, 1); // there is room again
  free(all);
  close_heap(h);
}

// Many write, one reads, another switches it on and off: every record comes out once and whole.
struct writer {
  struct heap *heap;
  uint64_t page, rounds;
  _Atomic uint64_t *running;
};

static void *fetch_again_and_again(void *arg) {
  struct writer *w = arg;
  for (uint64_t i = 0; i < w->rounds; i++) {
    CHECK(move_to(w->heap, w->page, 0, true));
    CHECK_EQUAL(hmm_fetch(w->heap->pager, w->page, w->page + 1, HMM_EXCLUSIVE, NULL, NULL, NULL), 0);
  }
  atomic_fetch_sub(w->running, 1);
  return NULL;
}

static void many_write_and_one_reads(const struct shape *shape) {
  enum { WRITERS = 4 };
  const uint64_t rounds = shape->quick ? 500 : 5000;
  struct heap *h = open_heap(shape, 8, 1);
  _Atomic uint64_t running = WRITERS;
  struct writer writers[WRITERS];
  pthread_t threads[WRITERS];
  uint64_t read[WRITERS] = {0}, ended[WRITERS] = {0}, lost = 0, total = 0;
  CHECK_EQUAL(hmm_record(h->pager, 1), 0);
  for (int i = 0; i < WRITERS; i++) {
    put(h, (uint64_t)i + 1, 1);
    writers[i] = (struct writer){h, (uint64_t)i + 1, rounds, &running};
  }
  for (int i = 0; i < WRITERS; i++) next(h);
  for (int i = 0; i < WRITERS; i++) threads[i] = start_thread(fetch_again_and_again, &writers[i]);
  while (true) {
    bool last = !atomic_load(&running); // before the look
    struct hmm_record some[16];
    int64_t n = hmm_take_records(h->pager, some, 16, &lost);
    for (int64_t i = 0; i < n; i++) {
      uint64_t writer = some[i].first - 1;
      CHECK(writer < WRITERS);
      CHECK_EQUAL(some[i].pages, 1);
      CHECK(some[i].end >= ended[writer]); // each writer's own are in order
      ended[writer] = some[i].end;
      read[writer]++;
    }
    if (last && n == 0) break;
    CHECK_EQUAL(hmm_record(h->pager, 1), 0); // at any time
  }
  for (int i = 0; i < WRITERS; i++) {
    pthread_join(threads[i], NULL);
    CHECK(read[i] <= rounds);
    total += read[i];
  }
  CHECK_EQUAL(total + lost, WRITERS * rounds);
  close_heap(h);
}

const struct test record_tests[] = {
    {"nothing_unless_asked", nothing_unless_asked, NEEDS_TRAP | ONE_WAY},
    {"a_touch_says_what_it_found_and_did", a_touch_says_what_it_found_and_did, NEEDS_TRAP},
    {"a_scan_adds_up", a_scan_adds_up, NEEDS_TRAP | ONE_WAY},
    {"a_fetch_is_told_part_by_part", a_fetch_is_told_part_by_part, 0},
    {"an_insisting_launch_tells_of_each_page", an_insisting_launch_tells_of_each_page, 0},
    {"a_full_ring_counts_what_it_loses", a_full_ring_counts_what_it_loses, ONE_WAY},
    {"many_write_and_one_reads", many_write_and_one_reads, NEEDS_TRAP | ONE_WAY},
    {0},
};
