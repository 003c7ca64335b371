// extents_test.c - numbers that mostly go on: the same as in an array, in however few bytes they are kept; and whoever reads beside the one who writes finds what was there or is.
#include <pthread.h>

#include "heap.h"

#define SHIFT 4
#define BLOCK (1 << SHIFT)
#define ENTRIES (4 * BLOCK)

struct numbers {
  _Atomic uint64_t extents[ENTRIES / BLOCK];
  _Atomic int32_t entries[ENTRIES];
  struct hmm_extents table;
};

static void open_numbers(struct numbers *n, uint64_t step) {
  *n = (struct numbers){.table = {(uint64_t)(uintptr_t)n->extents, (uint64_t)(uintptr_t)n->entries, step, SHIFT}};
}

static int32_t sometimes(uint64_t *random, int32_t number, int32_t other) { return next_random(random) % 16 ? number : other; }

// Runs of entries that are set and cleared in order, from either end, and now and then one that does not fit.
static void are_what_was_set(const struct shape *shape) {
  uint64_t random = 3;
  for (uint64_t step = 0; step < 2; step++) {
    struct numbers n;
    int32_t expected[ENTRIES] = {0};
    open_numbers(&n, step);
    int32_t touched = 0;
    for (int i = 0; i < (shape->quick ? 20000 : 200000); i++) {
      uint64_t first = next_random(&random) % ENTRIES, count = 1 + next_random(&random) % (ENTRIES - first);
      bool backwards = next_random(&random) & 1, clears = next_random(&random) & 1;
      int32_t base = next_random(&random) % 4 ? 5 : INT32_MAX - ENTRIES;
      for (uint64_t k = 0; k < count; k++) {
        uint64_t at = backwards ? first + count - 1 - k : first + k;
        int32_t value = clears ? 0 : sometimes(&random, base + (int32_t)(step * at), 1);
        extents_set(&n.table, at, value);
        expected[at] = value;
      }
      for (uint64_t at = 0; at < ENTRIES; at++) CHECK_EQUAL(extents_get(&n.table, at), expected[at]);
      for (int b = 0; b < ENTRIES / BLOCK; b++) touched += n.extents[b] >> 63 ? 1 : 0;
    }
    CHECK(touched > 0);
  }
}

static void that_go_on_take_eight_bytes(const struct shape *shape) {
  (void)shape;
  struct numbers n;
  open_numbers(&n, 1);
  for (uint64_t at = 0; at < ENTRIES; at++) extents_set(&n.table, at, (int32_t)at + 7);
  for (uint64_t at = 0; at < ENTRIES; at++) CHECK_EQUAL(n.entries[at], 0);
  extents_set(&n.table, 3, 1); // in the middle
  for (uint64_t at = 0; at < ENTRIES; at++) CHECK_EQUAL(n.entries[at] != 0, at < BLOCK);
  for (uint64_t at = 0; at < ENTRIES; at++) extents_set(&n.table, at, 0);
  for (uint64_t b = 0; b < ENTRIES / BLOCK; b++) CHECK_EQUAL(n.extents[b], 0);
}

struct watched {
  struct numbers numbers;
  _Atomic bool over;
  int wrong;
};

static void *watch(void *argument) {
  struct watched *w = argument;
  while (!w->over) {
    for (uint64_t at = 0; at < BLOCK; at += 5) {
      int32_t number = extents_get(&w->numbers.table, at);
      w->wrong += number && number != 100 + (int32_t)at && !(at == 15 && number == 3);
    }
  }
  return NULL;
}

static void are_read_beside_the_writer(const struct shape *shape) {
  struct watched w = {.over = false};
  open_numbers(&w.numbers, 1);
  for (uint64_t at = 0; at < BLOCK; at++) extents_set(&w.numbers.table, at, 100 + (int32_t)at);
  pthread_t thread;
  CHECK_EQUAL(pthread_create(&thread, NULL, watch, &w), 0);
  for (int i = 0; i < (shape->quick ? 20000 : 500000); i++) {
    if (i % 2) extents_set(&w.numbers.table, 15, 3); // scattered, until all have been cleared
    for (uint64_t at = 0; at < BLOCK; at++) extents_set(&w.numbers.table, at, 0);
    for (uint64_t at = BLOCK; at-- > 0;) extents_set(&w.numbers.table, at, 100 + (int32_t)at);
  }
  w.over = true;
  pthread_join(thread, NULL);
  CHECK_EQUAL(w.wrong, 0);
}

const struct test extents_tests[] = {
    {"numbers_are_what_was_set", are_what_was_set, ONE_WAY},
    {"numbers_that_go_on_take_eight_bytes", that_go_on_take_eight_bytes, ONE_WAY},
    {"numbers_are_read_beside_the_writer", are_read_beside_the_writer, ONE_WAY},
    {0},
};
