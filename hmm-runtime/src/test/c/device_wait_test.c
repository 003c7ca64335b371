// device_wait_test.c - the waits of a faulting device's threads for views (device_wait.c), without the threads.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <sys/mman.h>

#include "faulting.h"

#define PAGES 100
#define BUDGET 66
#define LONG_NANOS 60000000000ULL

// A fault is answered together with others of its page, and may be served when its thread has long met a view elsewhere: that wait has an end all the same.
static void a_fault_that_is_served_late_ends_no_wait(const struct shape *shape) {
  struct heap *h = open_heap_with_touch_timeout(shape, PAGES, LONG_NANOS);
  void *range = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(range != MAP_FAILED);
  int result = hmm_fault_device(h->pager, 0, (uint64_t)(uintptr_t)range, BUDGET, 2);
  CHECK_EQUAL(result, shape->rung >= HMM_SIGSEGV ? -ENOTSUP : 0);
  if (!result) {
    struct hmm_pager *p = h->pager;
    struct fault late = {.page = 1, .thread = 77, .device = true, .read = tick(p->faulting)};
    struct fault now = {.page = 2, .thread = 77, .device = true, .read = tick(p->faulting)};
    CHECK(!waits_too_long(p, &now));
    uint64_t over = next_wait_over(p);
    CHECK(over);
    waits_no_more(p, &late);
    CHECK_EQUAL(next_wait_over(p), over);
    CHECK(!waits_too_long(p, &late));
    CHECK_EQUAL(next_wait_over(p), over);
    waits_no_more(p, &now);
    CHECK_EQUAL(next_wait_over(p), 0);
  }
  close_heap(h);
  munmap(range, PAGES * PAGE);
}

const struct test device_wait_tests[] = {
    {"a_fault_that_is_served_late_ends_no_wait", a_fault_that_is_served_late_ends_no_wait, NEEDS_TRAP | ONE_WAY},
    {0},
};
