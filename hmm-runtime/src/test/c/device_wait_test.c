// device_wait_test.c - the waits of a faulting device's threads for views (device_wait.c), without the threads.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
  CHECK_EQUAL(result, shape->rung > HMM_SIGSEGV ? -ENOTSUP : 0);
  if (!result) {
    struct hmm_pager *p = h->pager;
    struct faulting *f = p->faulting.first;
    struct fault late = {.page = 1, .thread = 77, .device = f, .read = tick(p)};
    struct fault now = {.page = 2, .thread = 77, .device = f, .read = tick(p)};
    CHECK(!waits_too_long(f, &now));
    uint64_t over = next_wait_over(p);
    CHECK(over);
    waits_no_more(f, &late);
    CHECK_EQUAL(next_wait_over(p), over);
    CHECK(!waits_too_long(f, &late));
    CHECK_EQUAL(next_wait_over(p), over);
    waits_no_more(f, &now);
    CHECK_EQUAL(next_wait_over(p), 0);
  }
  close_heap(h);
  munmap(range, PAGES * PAGE);
}

struct sleeper { // a thread that has faulted and sleeps, and runs on when it is told to
  _Atomic uint32_t thread;
  _Atomic bool go, gone_on;
  pthread_mutex_t asleep;
};

// As Linux says of it: until then it runs, if only to where it sleeps.
static bool is_asleep(uint32_t thread) {
  char path[60], line[200] = "";
  snprintf(path, sizeof path, "/proc/self/task/%u/stat", thread);
  FILE *stat = fopen(path, "r");
  CHECK(stat && fgets(line, sizeof line, stat));
  fclose(stat);
  const char *name_end = strrchr(line, ')');
  return name_end && name_end[2] == 'S';
}

static void *sleep_and_run(void *arg) {
  struct sleeper *s = arg;
  s->thread = (uint32_t)gettid();
  pthread_mutex_lock(&s->asleep);
  pthread_mutex_unlock(&s->asleep);
  struct timespec t = {0};
  while (t.tv_sec == 0 && t.tv_nsec < 5000000) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  s->gone_on = true;
  return NULL;
}

static void the_older_thread_keeps_what_it_was_given(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 4);
  size_t bytes = PAGES * PAGE;
  char *ranges = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(ranges != MAP_FAILED);
  int result = hmm_fault_device(h->pager, 0, (uint64_t)(uintptr_t)ranges, BUDGET, 2);
  if (!result) {
    struct hmm_pager *p = h->pager;
    CHECK_EQUAL(hmm_fault_device(p, 1, (uint64_t)(uintptr_t)ranges + bytes, BUDGET, 2), 0);
    struct faulting *a = p->devices[0].faulting, *b = p->devices[1].faulting;
    struct sleeper sleepers[2] = {{.asleep = PTHREAD_MUTEX_INITIALIZER}, {.asleep = PTHREAD_MUTEX_INITIALIZER}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
      pthread_mutex_lock(&sleepers[i].asleep);
      threads[i] = start_thread(sleep_and_run, &sleepers[i]);
      AWAIT(sleepers[i].thread);
      AWAIT(is_asleep(sleepers[i].thread));
    }
    uint64_t longest = keep_at_most(UINT64_MAX); // however long this thread waits for a processor
    hold_for(a, sleepers[0].thread, 5);
    hold_for(b, sleepers[1].thread, 6);
    uint64_t of_a = word_next(0, DEVICE, 0, 0, 0), of_b = word_next(0, DEVICE, 1, 0, 0), of_both = word_next(0, PEERS, 0, 3, 0);
    struct fault young = {.page = 5, .thread = sleepers[1].thread, .device = b, .write = true}, old = {.page = 6, .thread = sleepers[0].thread, .device = a, .write = true}, reads = young;
    reads.write = false;
    CHECK(is_kept(b, 5, &young, of_a));
    CHECK(is_kept(b, 5, &young, of_both));
    CHECK(is_kept(b, 5, &reads, of_a));
    CHECK(!is_kept(b, 5, &reads, of_both)); // they can both have it
    CHECK(!is_kept(b, 7, &young, of_a));    // nobody has asked for that
    hold_for(a, sleepers[0].thread, 6);
    CHECK(!is_kept(a, 6, &old, of_b)); // it takes what it needs
    hold_for(b, sleepers[1].thread, 5);
    CHECK(is_kept(b, 5, &young, of_a)); // and is as old as it was
    pthread_mutex_unlock(&sleepers[0].asleep);
    AWAIT(!is_kept(b, 5, &young, of_a)); // its instruction is through
    AWAIT(sleepers[0].gone_on);
    hold_for(a, sleepers[0].thread, 6);
    hold_for(b, sleepers[1].thread, 6);
    CHECK(is_kept(a, 6, &old, of_b)); // it has waited for longer than this one by now
    pthread_mutex_unlock(&sleepers[1].asleep);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK(!is_kept(a, 6, &old, of_b));
    keep_at_most(longest);
  }
  close_heap(h);
  munmap(ranges, 2 * bytes);
}

const struct test device_wait_tests[] = {
    {"the_older_thread_keeps_what_it_was_given", the_older_thread_keeps_what_it_was_given, NEEDS_TRAP | ONE_WAY},
    {"a_fault_that_is_served_late_ends_no_wait", a_fault_that_is_served_late_ends_no_wait, NEEDS_TRAP | ONE_WAY},
    {0},
};
