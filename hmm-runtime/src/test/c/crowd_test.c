// crowd_test.c - far more threads that fault at once than the crew has.
#define _GNU_SOURCE
#include "heap.h"

#include <stdlib.h>

// Each thread touches its own page, all of them at the same time. No slot runs out, and who waits lets those work who serve.
struct crowd {
  struct heap *heap;
  pthread_barrier_t barrier;
  int rounds;
};

struct member {
  struct crowd *crowd;
  uint64_t page;
  pthread_t thread;
};

static void *touch_every_round(void *arg) {
  struct member *m = arg;
  struct crowd *c = m->crowd;
  for (int round = 0; round < c->rounds; round++) {
    pthread_barrier_wait(&c->barrier); // the pages have gone to the device
    expect(c->heap, m->page, (unsigned char)(m->page + (uint64_t)round));
    put(c->heap, m->page, (unsigned char)(m->page + (uint64_t)round + 1));
    pthread_barrier_wait(&c->barrier);
  }
  return NULL;
}

static void thousands_touch_at_once(const struct shape *shape) {
  uint64_t count = shape->quick ? 300 : 2500; // more than the places there used to be
  struct crowd c = {.heap = open_heap(shape, count, 1), .rounds = 2};
  struct member *members = calloc(count, sizeof *members);
  CHECK(members && !pthread_barrier_init(&c.barrier, NULL, (unsigned)count + 1));
  for (uint64_t page = 0; page < count; page++) {
    put(c.heap, page, (unsigned char)page);
    members[page] = (struct member){.crowd = &c, .page = page};
    members[page].thread = start_thread(touch_every_round, &members[page]);
  }
  for (int round = 0; round < c.rounds; round++) {
    for (uint64_t page = 0; page < count; page++) CHECK(move_to(c.heap, page, 0, true));
    pthread_barrier_wait(&c.barrier);
    pthread_barrier_wait(&c.barrier);
  }
  for (uint64_t page = 0; page < count; page++) pthread_join(members[page].thread, NULL);
  pthread_barrier_destroy(&c.barrier);
  free(members);
  close_heap(c.heap);
}

const struct test crowd_tests[] = {
    {"thousands_touch_at_once", thousands_touch_at_once, true},
    {0},
};
