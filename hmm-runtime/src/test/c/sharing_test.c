// sharing_test.c - copies that several threads share: every byte is at its place when such a copy returns, and each returns.
#define _GNU_SOURCE // barriers
#include <string.h>

#include "heap.h"
#include "pager.h"
#include "sharing.h"

#define OWNERS 4
#define PIECES 7

struct crowd {
  struct hmm_pager *pager;
  pthread_barrier_t barrier; // behind each copy: what woke one owner too few is not made up for by the next
  int rounds;
};

static void *share_every_round(void *arg) {
  struct crowd *c = arg;
  static const size_t bytes[PIECES] = {1, 4096, 0, 999, 1001, 8000, 3};
  unsigned char from[16384], to[PIECES][8192];
  struct part parts[PIECES];
  uint64_t random = (uint64_t)(uintptr_t)&random | 1;
  for (int round = 0; round < c->rounds; round++) {
    unsigned count = 1 + (unsigned)(next_random(&random) % PIECES);
    size_t at = 0, all = 0;
    for (unsigned i = 0; i < count; i++) parts[i] = (struct part){.host = (char *)to[i], .bytes = bytes[(i + (unsigned)round) % PIECES]};
    for (unsigned i = 0; i < count; i++) all += parts[i].bytes;
    for (size_t i = 0; i < all; i++) from[i] = (unsigned char)next_random(&random);
    for (unsigned i = 0; i < count; i++) to[i][parts[i].bytes] = 0x5a;
    share_out(c->pager, parts, count, (const char *)from);
    for (unsigned i = 0; i < count; at += parts[i++].bytes) {
      CHECK(!memcmp(to[i], &from[at], parts[i].bytes));
      CHECK_EQUAL(to[i][parts[i].bytes], 0x5a);
    }
    pthread_barrier_wait(&c->barrier);
  }
  return NULL;
}

static void every_copy_that_is_shared_ends(const struct shape *shape) {
  struct heap *h = open_heap(shape, 4, 1);
  struct crowd c = {.pager = h->pager, .rounds = shape->quick ? 2000 : 50000};
  pthread_t owners[OWNERS];
  CHECK(!pthread_barrier_init(&c.barrier, NULL, OWNERS));
  for (int i = 0; i < OWNERS; i++) owners[i] = start_thread(share_every_round, &c);
  for (int i = 0; i < OWNERS; i++) pthread_join(owners[i], NULL);
  pthread_barrier_destroy(&c.barrier);
  CHECK_EQUAL(h->pager->sharing.count, h->config.copy_threads - 1);
  CHECK(!h->pager->sharing.owned && !h->pager->sharing.working);
  close_heap(h);
}

// Neither for what is small, nor where the program wants none.
static void nobody_is_woken_for_little(const struct shape *shape) {
  struct heap *h = open_heap(shape, 4, 1);
  char from[1500] = {1}, to[1500];
  const struct part part = {.host = to, .bytes = sizeof to};
  share_out(h->pager, &part, 1, from);
  CHECK(!memcmp(from, to, sizeof to));
  CHECK_EQUAL(h->pager->sharing.count, 0);
  h->pager->config.copy_threads = 1;
  char many[8000] = {2}, there[8000];
  const struct part large = {.host = there, .bytes = sizeof there};
  share_out(h->pager, &large, 1, many);
  CHECK(!memcmp(many, there, sizeof there));
  CHECK_EQUAL(h->pager->sharing.count, 0);
  close_heap(h);
}

const struct test sharing_tests[] = {
    {"every_copy_that_is_shared_ends", every_copy_that_is_shared_ends, ONE_WAY},
    {"nobody_is_woken_for_little", nobody_is_woken_for_little, ONE_WAY},
    {0},
};
