// touch_test.c - what a touch finds and leaves, for every state of a page, mapped or not, and both kinds of touch.
#include "heap.h"

#define P 3 // the page; its neighbours stay untouched

static void host(struct heap *h) { put(h, P, 10); }
static void read_once(struct heap *h) { expect(h, P, 0); }
static void host_unmapped(struct heap *h) {
  host(h);
  CHECK_EQUAL(hmm_forbid(h->pager, P, P + 1, 0), 0);
}
static void shared(struct heap *h) {
  host(h);
  CHECK(move_to(h, P, 0, false));
}
static void shared_unmapped(struct heap *h) {
  shared(h);
  CHECK_EQUAL(hmm_forbid(h->pager, P, P + 1, 0), 0);
}
static void shared_by_two(struct heap *h) {
  shared(h);
  CHECK(move_to(h, P, 1, false));
}
static void shared_without_memory(struct heap *h) { // filled on the device: the host's page is still a hole
  uint64_t claimed = claim_for(h, P, 0, false);
  forbid_claimed(h, P, false);
  fill_frame(h, 0, P, 0);
  CHECK(commit(h, P, 0, claimed));
}
static void device(struct heap *h) {
  host(h);
  CHECK(move_to(h, P, 1, true));
  fill_frame(h, 1, P, 20);
}
static void claimed_to_read(struct heap *h) {
  host(h);
  CHECK(claim_for(h, P, 0, false));
  forbid_claimed(h, P, false);
}
static void claimed_to_write(struct heap *h) {
  host(h);
  CHECK(claim_for(h, P, 0, true));
  forbid_claimed(h, P, true);
}
static void claimed_beside_a_sharer(struct heap *h) {
  shared(h);
  CHECK(claim_for(h, P, 1, true));
  forbid_claimed(h, P, true);
}
static void poisoned(struct heap *h) {
  device(h);
  set_word(h, P, word_next(word(h, P), POISONED, 0, 0, 0));
}
static void unmapped(struct heap *h) {
  set_word(h, P, word_next(word(h, P), UNMAPPED, 0, 0, 0));
  CHECK_EQUAL(hmm_forbid(h->pager, P, P + 1, 0), 0);
}
static void host_read_only(struct heap *h) {
  host(h);
  protect(h, P, 1);
}
static void device_read_only(struct heap *h) {
  device(h);
  protect(h, P, 1);
}
static void host_closed(struct heap *h) {
  host(h);
  protect(h, P, 0);
}

enum { ERROR = -1 };

static const struct row {
  const char *name;
  void (*prepare)(struct heap *);
  int read_finds; // or ERROR
  enum state after_read, after_write;
  unsigned sharers; // after reading
  bool write_fails;
  enum hmm_counter counts; // what a write counts as
} rows[] = {
    {"empty", NULL, 0, EMPTY, HOST, 0, false, HMM_FIRST_TOUCHES},
    {"read once", read_once, 0, EMPTY, HOST, 0, false, HMM_FIRST_TOUCHES},
    {"host", host, 10, HOST, HOST, 0, false, HMM_COUNTERS},
    {"host, unmapped", host_unmapped, 10, HOST, HOST, 0, false, HMM_REMAPPED},
    {"shared", shared, 10, SHARED, HOST, 1, false, HMM_UPGRADES},
    {"shared, unmapped", shared_unmapped, 10, SHARED, HOST, 1, false, HMM_UPGRADES},
    {"shared by two", shared_by_two, 10, SHARED, HOST, 3, false, HMM_UPGRADES},
    {"shared without memory", shared_without_memory, 0, SHARED, HOST, 1, false, HMM_UPGRADES},
    {"device", device, 20, SHARED, HOST, 2, false, HMM_FETCHED},
    {"claimed to read", claimed_to_read, 10, TO_DEVICE, HOST, 0, false, HMM_ABORTED},
    {"claimed to write", claimed_to_write, 10, HOST, HOST, 0, false, HMM_ABORTED},
    {"claimed beside a sharer", claimed_beside_a_sharer, 10, SHARED, HOST, 1, false, HMM_ABORTED},
    {"poisoned", poisoned, ERROR, POISONED, POISONED, 0, true, HMM_COUNTERS},
    {"unmapped", unmapped, ERROR, UNMAPPED, UNMAPPED, 0, true, HMM_COUNTERS},
    {"host, read-only", host_read_only, 10, HOST, HOST, 0, true, HMM_COUNTERS},
    {"device, read-only", device_read_only, 20, SHARED, DEVICE, 2, true, HMM_COUNTERS},
    {"host, closed", host_closed, ERROR, HOST, HOST, 0, true, HMM_COUNTERS},
};

static void read_of_every_state(const struct shape *shape) {
  for (const struct row *r = rows; r < rows + sizeof rows / sizeof *rows; r++) {
    struct heap *h = open_heap(shape, 8, 1);
    if (r->prepare) r->prepare(h);
    unsigned char found = 77;
    int error = touch_read(h, P, &found);
    CHECK_EQUAL(error != 0, r->read_finds == ERROR);
    if (!error) CHECK_EQUAL(found, r->read_finds);
    CHECK_EQUAL(state(h, P), r->after_read);
    CHECK_EQUAL(word_sharers(word(h, P)), r->sharers);
    if (!r->write_fails) { // whatever is mapped now must notice a write
      put(h, P, 30);
      CHECK_EQUAL(state(h, P), HOST);
      CHECK_EQUAL(h->alias[P * PAGE + MIDDLE], 30);
    }
    close_heap(h);
  }
}

static void write_to_every_state(const struct shape *shape) {
  for (const struct row *r = rows; r < rows + sizeof rows / sizeof *rows; r++) {
    struct heap *h = open_heap(shape, 8, 1);
    if (r->prepare) r->prepare(h);
    count_from_now(h);
    int error = touch_write(h, P, 40);
    CHECK_EQUAL(error != 0, r->write_fails);
    CHECK_EQUAL(state(h, P), r->after_write);
    if (r->counts != HMM_COUNTERS) CHECK_EQUAL(counted(h, r->counts), 1);
    if (r->counts != HMM_COUNTERS) CHECK_EQUAL(counted(h, HMM_FAULTS_WRITE), 1);
    if (!error) {
      expect(h, P, 40);
      CHECK_EQUAL(h->alias[P * PAGE + MIDDLE], 40);
      CHECK_EQUAL(h->app[P * PAGE], r->prepare == device ? 20 : 0); // the rest of the page came along
    }
    for (uint64_t page = 0; page < 8; page++) {
      if (page != P) CHECK_EQUAL(word(h, page), 0);
    }
    close_heap(h);
  }
}

// The same page, noticed by many at once, and read and written.
static void many_threads_touch_one_page(const struct shape *shape) {
  struct heap *h = open_heap(shape, 8, 1);
  struct toucher t[24];
  put(h, P, 10);
  CHECK(move_to(h, P, 0, true));
  fill_frame(h, 0, P, 20);
  hmm_step_arm(h->pager, HMM_STEP_NOTICED, 1);
  for (int i = 0; i < 24; i++) start_toucher(&t[i], h, P, i % 3 == 0, 30);
  CHECK_EQUAL(hmm_step_await(h->pager, HMM_STEP_NOTICED, 20000), 1);
  hmm_step_arm(h->pager, HMM_STEP_NOTICED, 0);
  for (int i = 0; i < 24; i++) {
    join_toucher(&t[i]);
    CHECK_EQUAL(t[i].error, 0);
    CHECK(t[i].value == 20 || t[i].value == 30);
  }
  CHECK_EQUAL(state(h, P), HOST);
  expect(h, P, 30);
  CHECK_EQUAL(h->app[P * PAGE], 20);
  close_heap(h);
}

// What is lifted comes back: closed, read-only and open again, with the page in memory and on a device.
static void protection_comes_and_goes(const struct shape *shape) {
  struct heap *h = open_heap(shape, 8, 1);
  unsigned char value;
  put(h, P, 10);
  for (int round = 0; round < 3; round++) {
    protect(h, P, 0);
    CHECK(touch_read(h, P, &value));
    CHECK(touch_write(h, P, 1));
    protect(h, P, 1);
    expect(h, P, 10);
    CHECK(touch_write(h, P, 1));
    protect(h, P, 2);
    expect(h, P, 10);
    put(h, P, 10);
    CHECK(move_to(h, P, 0, round != 1));
  }
  close_heap(h);
}

const struct test touch_tests[] = {
    {"read_of_every_state", read_of_every_state, 0},
    {"write_to_every_state", write_to_every_state, NEEDS_TRAP},
    {"many_threads_touch_one_page", many_threads_touch_one_page, NEEDS_TRAP},
    {"protection_comes_and_goes", protection_comes_and_goes, ONE_WAY},
    {0},
};
