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
