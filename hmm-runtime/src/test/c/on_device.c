// on_device.c - see on_device.h.
#define _GNU_SOURCE
#include "on_device.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static int open_range(struct device *d, uint64_t pages) {
  d->range = mmap(NULL, (size_t)(pages * PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(d->range != MAP_FAILED);
  return hmm_fault_device(d->heap->pager, d->index, (uint64_t)(uintptr_t)d->range, d->budget, THREADS);
}

struct device *open_device_in(struct heap *heap, const struct shape *shape, uint64_t pages, uint64_t budget, struct device *d) {
  *d = (struct device){.heap = heap, .end = pages, .budget = budget};
  int result = open_range(d, pages);
  if (!result) return d;
  CHECK_EQUAL(result, -ENOTSUP);
  CHECK(shape->rung > HMM_SIGSEGV);
  close_heap(d->heap);
  munmap(d->range, (size_t)(pages * PAGE));
  return NULL;
}

struct device *open_device_with(const struct shape *shape, uint64_t pages, uint64_t budget, struct device *d) {
  return open_device_in(open_heap(shape, pages, 4), shape, pages, budget, d);
}

struct device *beside(const struct device *first, uint64_t budget, struct device *d) {
  *d = (struct device){.heap = first->heap, .index = first->index + 1, .end = first->end, .budget = budget};
  CHECK_EQUAL(open_range(d, d->heap->pages), 0);
  return d;
}

uint64_t there_in(const struct device *d, uint64_t first, uint64_t end) {
  unsigned char resident[PAGES];
  uint64_t n = 0;
  CHECK(!mincore(d->range, d->heap->pages * PAGE, resident));
  for (uint64_t page = first; page < end; page++) n += resident[page] & 1;
  return n;
}

uint64_t there(const struct device *d) { return there_in(d, 0, d->heap->pages); }

void close_device(struct device *d) {
  size_t bytes = (size_t)(d->heap->pages * PAGE);
  CHECK(there(d) <= d->budget);
  close_heap(d->heap);
  munmap(d->range, bytes);
}

void free_range(struct device *d) { munmap(d->range, (size_t)(d->end * PAGE)); }

void start(struct device *d, void (*kernel)(void *), bool write) {
  d->launching = (struct launching){.kernel = {kernel, d, 0}};
  d->running = d->go = false;
  CHECK_EQUAL(launch(d->heap, &d->launching, d->index, d->first, d->end, write), 0);
  CHECK(d->launching.request.event);
}

bool finish(struct device *d, struct hmm_violation *violation) {
  int found = hmm_violation_of(d->heap->pager, d->launching.request.number, violation);
  fake_wait((void *)(uintptr_t)d->launching.request.event);
  return found;
}

void run(struct device *d, void (*kernel)(void *), bool write) {
  struct hmm_violation violation;
  start(d, kernel, write);
  CHECK(!finish(d, &violation));
}

ON_DEVICE void sum_all(void *arg) {
  struct device *d = arg;
  d->sum = 0;
  for (uint64_t page = d->first; page < d->end; page++) {
    for (uint64_t i = 0; i < WORDS; i++) d->sum += *on_device(d, page, i);
  }
}

ON_DEVICE void add_three(void *arg) {
  struct device *d = arg;
  for (uint64_t page = d->first; page < d->end; page++) {
    for (uint64_t i = 0; i < WORDS; i++) *on_device(d, page, i) += 3;
  }
}

ON_DEVICE void *add_everywhere(void *arg) {
  const struct adding *a = arg;
  uint64_t random = a->seed;
  for (int i = 0; i < a->device->rounds; i++) {
    uint64_t page = next_random(&random) % a->device->heap->pages;
    volatile uint32_t *at = (volatile uint32_t *)(uintptr_t)(a->base + page * PAGE) + next_random(&random) % 4 * 100;
    __atomic_fetch_add(at, 1, __ATOMIC_SEQ_CST);
    if (i % 3 == 0) (void)__atomic_load_n(at + 50, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

void add_by_two(void *arg) {
  struct device *d = arg;
  struct adding one = {d, d->range, d->seed}, other = {d, d->range, d->seed + 1};
  pthread_t thread = start_thread(add_everywhere, &other);
  add_everywhere(&one);
  pthread_join(thread, NULL);
}

uint64_t added(struct device *d) {
  uint64_t sum = 0;
  for (uint64_t page = 0; page < d->heap->pages; page++) {
    for (uint64_t i = 0; i < 4; i++) sum += *on_host(d, page, i * 100);
  }
  return sum;
}
