// close_test.c - opening with nonsense, and closing while others are busy.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <sys/mman.h>

static void nonsense_is_refused(const struct shape *shape) {
  struct hmm_pager *p;
  uint64_t word[4] = {0};
  void *app = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(app != MAP_FAILED);
  const struct hmm_config good = {.abi = HMM_ABI, .rung = shape->rung, .page_shift = PAGE_SHIFT, .page_count = 4, .app = (uint64_t)(uintptr_t)app, .alias = (uint64_t)(uintptr_t)app, .memfd = 1000000,
                                  .words = (uint64_t)(uintptr_t)word, .changes = (uint64_t)(uintptr_t)word, .region_starts = (uint64_t)(uintptr_t)word, .backed = (uint64_t)(uintptr_t)word};
  for (int i = 0; i < 11; i++) {
    struct hmm_config c = good;
    if (i == 0) c.abi++;
    if (i == 1) c.page_shift = 11;
    if (i == 2) c.page_shift = 22;
    if (i == 3) c.page_count = 0;
    if (i == 4) c.words = 0;
    if (i == 5) c.region_starts = 0;
    if (i == 6) c.app += 8;
    if (i == 7) c.alias += 8;
    if (i == 8) c.rung = HMM_RUNGS;
    if (i == 9) c.changes = 0;
    CHECK_EQUAL(hmm_open(&c, &p), i < 10 ? -EINVAL : -EBADF); // the last is good but for its descriptor
  }
  munmap(app, 4 * PAGE);
}

static void a_device_without_a_queue_is_refused(const struct shape *shape) {
  struct heap *h = open_heap(shape, 16, 1);
  const struct hmm_device_config config = {.context = 1};
  fake_fail(HMM_CL_CREATE_QUEUE, -6, 0, 1);
  CHECK_EQUAL(hmm_add_device(h->pager, &config), 6);
  put(h, 1, 1);
  close_heap(h);
}

struct ending {
  struct stopped_kernel kernel;
  _Atomic bool closed;
  struct heap *heap;
};

static void *close_it(void *arg) {
  struct ending *e = arg;
  CHECK_EQUAL(hmm_close(e->heap->pager), 0);
  CHECK(e->kernel.go);
  e->closed = true;
  return NULL;
}

static void closing_waits_for_launches(const struct shape *shape) {
  struct heap *h = open_heap(shape, 16, 1);
  struct ending e = {.heap = h};
  CHECK(move_to(h, 3, 0, true));
  launch_stopped(h, &e.kernel, 0, 3, 4, true);
  pthread_t thread = start_thread(close_it, &e);
  CHECK(!e.closed);
  let_go(&e.kernel);
  pthread_join(thread, NULL);
  free_heap(h);
}

// Threads that fault all the time, some of them for launches' pages: closing lets everybody go. What they touch afterwards is nobody's business, an error included.
struct faulting {
  struct heap *heap;
  uint64_t seed;
  _Atomic bool *closed;
};

static void *touch_on(void *arg) {
  struct faulting *f = arg;
  unsigned char value;
  while (!*f->closed) {
    uint64_t page = next_random(&f->seed) % f->heap->pages;
    if (f->seed >> 40 & 1 ? touch_write(f->heap, page, 1) : touch_read(f->heap, page, &value)) break;
  }
  return NULL;
}

static void closing_while_threads_fault(const struct shape *shape) {
  for (int round = 0; round < (shape->quick ? 4 : 40); round++) {
    struct heap *h = open_heap(shape, 4096, 1); // so many that first touches last
    struct faulting faulting[4];
    _Atomic bool closed = false;
    pthread_t threads[4];
    for (uint64_t i = 0; i < 4; i++) {
      faulting[i] = (struct faulting){h, i + 1 + (uint64_t)round, &closed};
      threads[i] = start_thread(touch_on, &faulting[i]);
    }
    AWAIT(word(h, 4000 - 3 * (uint64_t)round)); // they are in full swing
    CHECK_EQUAL(hmm_close(h->pager), 0);
    closed = true;
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    free_heap(h);
  }
}

// Heaps come and go beside each other: a fault finds its own.
static void *open_and_close(void *arg) {
  const struct shape *shape = arg;
  for (int i = 0; i < (shape->quick ? 4 : 40); i++) {
    struct heap *h = open_heap(shape, 32, 4);
    for (uint64_t page = 0; page < 32; page++) put(h, page, (unsigned char)(page + 1));
    for (uint64_t page = 0; page < 32; page++) CHECK(move_to(h, page, page % 2, true));
    for (uint64_t page = 0; page < 32; page++) expect(h, page, (unsigned char)(page + 1));
    CHECK_EQUAL(hmm_close(h->pager), 0);
    free_heap(h);
  }
  return NULL;
}

static void heaps_come_and_go(const struct shape *shape) {
  struct shape copy = *shape;
  struct heap *stays = open_heap(shape, 32, 1);
  pthread_t first = start_thread(open_and_close, &copy), second = start_thread(open_and_close, &copy);
  for (int i = 0; i < 2000; i++) {
    put(stays, (uint64_t)i % 32, (unsigned char)i);
    CHECK_EQUAL(hmm_forbid(stays->pager, (uint64_t)i % 32, (uint64_t)i % 32 + 1, 0), 0);
    expect(stays, (uint64_t)i % 32, (unsigned char)i);
  }
  pthread_join(first, NULL);
  pthread_join(second, NULL);
  close_heap(stays);
}

// One more is told so, and is welcome when another has gone.
static void only_so_many_heaps_are_open_at_once(const struct shape *shape) {
  if (shape->quick) return; // a thread for each, which sanitizers make dear
  static struct hmm_pager *pagers[HMM_MAX_PAGERS + 1];
  struct heap *h = open_heap(shape, 16, 1);
  struct hmm_config config = h->config;
  config.page_count = 1;
  int count = 1, result;
  while (true) {
    void *app = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(app != MAP_FAILED);
    config.app = (uint64_t)(uintptr_t)app;
    if ((result = hmm_open(&config, &pagers[count]))) break;
    CHECK(++count <= HMM_MAX_PAGERS);
  }
  CHECK_EQUAL(result, -EUSERS);
  CHECK(count > HMM_MAX_PAGERS - 8); // but for what earlier tests had to leave behind
  CHECK_EQUAL(hmm_close(pagers[--count]), 0);
  CHECK_EQUAL(hmm_open(&config, &pagers[count]), 0);
  for (; count; count--) CHECK_EQUAL(hmm_close(pagers[count]), 0);
  close_heap(h);
}

const struct test close_tests[] = {
    {"nonsense_is_refused", nonsense_is_refused, NEEDS_TRAP | ONE_WAY},
    {"a_device_without_a_queue_is_refused", a_device_without_a_queue_is_refused, ONE_WAY},
    {"closing_waits_for_launches", closing_waits_for_launches, ONE_WAY},
    {"closing_while_threads_fault", closing_while_threads_fault, ONE_WAY | NEEDS_TRAP}, // a view is a call, and nobody may call while it closes
    {"heaps_come_and_go", heaps_come_and_go, 0},
    {"only_so_many_heaps_are_open_at_once", only_so_many_heaps_are_open_at_once, ONE_WAY},
    {0},
};
