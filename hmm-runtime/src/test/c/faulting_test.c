// faulting_test.c - a device whose kernels fault.
#define _GNU_SOURCE
#include "left.h"
#include "on_device.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

// ---- more than fits

static void goes_over_more_than_it_holds(const struct shape *shape) {
  const uint64_t budgets[] = {PAGES, PAGES / 2, PAGES / 4, LEAST};
  for (int b = 0; b < 4; b++) {
    struct device it, *d = open_device_with(shape, PAGES, budgets[b], &it);
    if (!d) return;
    uint64_t sum = 0;
    for (uint64_t page = 0; page < PAGES; page++) {
      for (uint64_t i = 0; i < WORDS; i++) *on_host(d, page, i) = value(page, i);
    }
    for (uint32_t round = 0; round < 3; round++) {
      run(d, sum_all, false);
      sum = 0;
      for (uint64_t page = 0; page < PAGES; page++) {
        for (uint64_t i = 0; i < WORDS; i++) sum += value(page, i) + 3 * round;
      }
      CHECK_EQUAL(d->sum, sum);
      run(d, add_three, true);
      CHECK(there(d) <= budgets[b]);
    }
    for (uint64_t page = 0; page < PAGES; page++) {
      for (uint64_t i = 0; i < WORDS; i++) CHECK_EQUAL(*on_host(d, page, i), value(page, i) + 9);
    }
    uint64_t counts[HMM_COUNTERS];
    hmm_take_counts(d->heap->pager, counts, HMM_COUNTERS);
    CHECK_EQUAL(counts[HMM_DEVICE_STRAYS], 0);
    CHECK(counts[HMM_DEVICE_READS] >= PAGES);
    CHECK_EQUAL(counts[HMM_DEVICE_EVICTED] > 0, budgets[b] < PAGES);
    close_device(d);
  }
}

static void what_nobody_has_written_reads_as_zeros(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
  if (!d) return;
  run(d, sum_all, false);
  CHECK_EQUAL(d->sum, 0);
  CHECK_EQUAL(state(d->heap, PAGES - 1), SHARED);
  run(d, add_three, true);
  CHECK_EQUAL(state(d->heap, PAGES - 1), DEVICE);
  for (uint64_t page = 0; page < PAGES; page++) CHECK_EQUAL(*on_host(d, page, 5), 3);
  close_device(d);
}

static void a_budget_that_is_too_small_is_refused(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 4);
  unsigned char *range = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t at = (uint64_t)(uintptr_t)range;
  CHECK_EQUAL(hmm_least_budget(THREADS), LEAST);
  CHECK_EQUAL(hmm_fault_device(h->pager, 0, at, LEAST - 1, THREADS), shape->rung > HMM_SIGSEGV ? -ENOTSUP : -ENOSPC);
  CHECK_EQUAL(hmm_fault_device(h->pager, 7, at, LEAST, THREADS), -EINVAL);
  CHECK_EQUAL(hmm_fault_device(h->pager, 0, at + 64, LEAST, THREADS), -EINVAL);
  CHECK_EQUAL(hmm_take_home(h->pager, 0, 0, 1), -EINVAL);
  close_heap(h);
  munmap(range, PAGES * PAGE);
}

// ---- one instruction that needs many pages

#ifdef __x86_64__
// Sixteen elements, each on two pages of its own.
ON_DEVICE __attribute__((target("avx512f"))) static void gather(void *arg) {
  struct device *d = arg;
  int32_t offsets[16], got[16];
  uint64_t random = d->seed;
  d->sum = 0;
  for (int round = 0; round < d->rounds; round++) {
    for (int i = 0; i < 16; i++) offsets[i] = (int32_t)((next_random(&random) % (PAGES / 2) * 2 + 1) * PAGE) - 2;
    __m512i v = _mm512_i32gather_epi32(_mm512_loadu_si512(offsets), d->range, 1);
    _mm512_storeu_si512(got, v);
    for (int i = 0; i < 16; i++) d->sum += (uint32_t)got[i];
  }
}

static void *gather_beside(void *arg) {
  gather(arg);
  return NULL;
}

static void gather_by_all(void *arg) {
  struct device *d = arg, other = {.range = d->range, .seed = d->seed + 77, .rounds = d->rounds};
  pthread_t beside = start_thread(gather_beside, &other);
  gather(d);
  pthread_join(beside, NULL);
  d->sum += other.sum;
}

static uint64_t gathered(struct device *d, uint64_t seed) {
  uint64_t random = seed, sum = 0;
  for (int i = 0; i < 16 * d->rounds; i++) {
    uint32_t v;
    memcpy(&v, d->heap->alias + (next_random(&random) % (PAGES / 2) * 2 + 1) * PAGE - 2, sizeof v);
    sum += v;
  }
  return sum;
}

static void an_instruction_gets_all_the_pages_that_it_needs(const struct shape *shape) {
  struct device it, *d = __builtin_cpu_supports("avx512f") ? open_device_with(shape, PAGES, LEAST, &it) : NULL;
  if (!d) return;
  for (uint64_t page = 0; page < PAGES; page++) {
    for (uint64_t i = 0; i < WORDS; i++) *on_host(d, page, i) = value(page, i);
  }
  d->seed = 12345;
  d->rounds = shape->quick ? 20 : 200;
  run(d, gather_by_all, false);
  CHECK_EQUAL(d->sum, gathered(d, d->seed) + gathered(d, d->seed + 77)); // whatever was read only is valid on the host
  close_device(d);
}
#endif

// ---- with few mappings

ON_DEVICE static void add_to_every_other(void *arg) {
  struct device *d = arg;
  for (int round = 0; round < 3; round++) {
    for (uint64_t page = 0; page < d->end; page += 2) *on_device(d, page, 1) += *on_device(d, (page + 4) % d->end, 0);
  }
}

// Each page that is there is a mapping, and there are more of these pages than mappings: they are closed, and opened again when they are touched.
uint64_t limit_mappings(uint64_t most); // mappings.c

static void pages_that_are_there_are_closed_for_want_of_mappings(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, PAGES, &it);
  if (!d) return;
  for (uint64_t page = 0; page < PAGES; page++) {
    *on_host(d, page, 0) = 2;
    *on_host(d, page, 1) = (uint32_t)page;
  }
  uint64_t before = limit_mappings(100), now, most;
  for (int round = 0; round < 3; round++) {
    run(d, add_to_every_other, true);
    CHECK(there(d) >= PAGES / 2);
    CHECK_EQUAL(hmm_mappings(&now, &most), 0);
    CHECK(now <= 100 + 2 * LEAST);
  }
#ifdef __x86_64__
  d->seed = 4711;
  d->rounds = 10;
  if (__builtin_cpu_supports("avx512f")) {
    for (uint64_t page = 0; page < PAGES; page++) *on_host(d, page, WORDS - 1) = (uint32_t)(page << 16);
    run(d, gather_by_all, false); // what an instruction was just given is not closed
    CHECK_EQUAL(hmm_take_home(d->heap->pager, 0, 0, PAGES), 0);
    CHECK_EQUAL(d->sum, gathered(d, d->seed) + gathered(d, d->seed + 77));
  }
#endif
  limit_mappings(before);
  for (uint64_t page = 0; page < PAGES; page++) CHECK_EQUAL(*on_host(d, page, 1), page + (page % 2 ? 0 : 18));
  CHECK_EQUAL(counted(d->heap, HMM_DEVICE_STRAYS), 0);
  close_device(d);
}

// ---- the host meanwhile

static void both_sides_add_to_the_same_words(const struct shape *shape) {
  const uint64_t budgets[] = {120, LEAST};
  for (int b = 0; b < 2; b++) {
    struct device it, *d = open_device_with(shape, 120, budgets[b], &it);
    if (!d) return;
    d->rounds = shape->quick ? 1000 : 10000;
    d->seed = 5555;
    struct adding beside = {d, d->heap->app, 31};
    start(d, add_by_two, true);
    pthread_t thread = start_thread(add_everywhere, &beside);
    uint64_t random = 17;
    for (int i = 0; i < 200; i++) { // and views come and go
      uint64_t page = next_random(&random) % 120;
      bool writes = next_random(&random) & 1;
      CHECK_EQUAL(fetch(d->heap, page, page + 1, HMM_PIN | (writes ? HMM_EXCLUSIVE : 0) | (i & 1 ? HMM_MAP : 0)), 0);
      unsigned char *view = d->heap->alias + page * PAGE;
      if (writes) *(uint32_t *)(void *)(view + 2000) += 1;
      unpin(d->heap, page, writes);
      CHECK_EQUAL(hmm_wake_device(d->heap->pager, page, page + 1), 0);
      CHECK(there(d) <= budgets[b]);
    }
    pthread_join(thread, NULL);
    struct hmm_violation violation;
    CHECK(!finish(d, &violation));
    CHECK_EQUAL(added(d), 3 * (uint64_t)d->rounds);
    uint64_t random_views = 17, views = 0;
    for (int i = 0; i < 200; i++) {
      next_random(&random_views);
      views += next_random(&random_views) & 1;
    }
    for (uint64_t page = 0; page < 120; page++) views -= *on_host(d, page, 500);
    CHECK_EQUAL(views, 0);
    close_device(d);
  }
}

ON_DEVICE static void wait_in_the_middle(void *arg) {
  struct device *d = arg;
  *on_device(d, 3, 0) = 7;
  d->running = true;
  AWAIT(d->go);
  d->sum = *on_device(d, 3, 0) * 100 + *on_device(d, 3, 1);
}

ON_DEVICE static void write_in_the_middle(void *arg) {
  struct device *d = arg;
  *on_device(d, 3, 0) = 7;
  d->running = true;
  AWAIT(d->go);
  *on_device(d, 3, 2) = 9;
}

static void the_host_does_not_wait_for_the_kernel(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
  struct hmm_violation violation;
  if (!d) return;
  start(d, wait_in_the_middle, true);
  AWAIT(d->running);
  CHECK_EQUAL(*on_host(d, 3, 0), 7);
  CHECK_EQUAL(state(d->heap, 3), SHARED);
  *on_host(d, 3, 1) = 8;
  CHECK_EQUAL(state(d->heap, 3), HOST);
  CHECK_EQUAL(there(d), 0);
  d->go = true;
  CHECK(!finish(d, &violation));
  CHECK_EQUAL(d->sum, 708);
  CHECK_EQUAL(state(d->heap, 3), SHARED);
  close_device(d);
}

static void a_kernel_waits_for_a_view(const struct shape *shape) {
  for (int writes = 0; writes < 2; writes++) {
    struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
    struct hmm_violation violation;
    if (!d) return;
    start(d, wait_in_the_middle, true);
    AWAIT(d->running);
    CHECK_EQUAL(fetch(d->heap, 3, 4, HMM_PIN | (writes ? HMM_EXCLUSIVE : 0)), 0);
    CHECK_EQUAL(*(uint32_t *)(void *)(d->heap->alias + 3 * PAGE), 7);
    d->go = true;
    if (writes) {
      for (int i = 0; i < 100; i++) CHECK_EQUAL(hmm_wake_device(d->heap->pager, 3, 4), 0); // it looks, and sleeps again
      ((uint32_t *)(void *)(d->heap->alias + 3 * PAGE))[1] = 5;
    }
    unpin(d->heap, 3, writes);
    CHECK_EQUAL(hmm_wake_device(d->heap->pager, 3, 4), 0);
    CHECK(!finish(d, &violation));
    CHECK_EQUAL(d->sum, writes ? 705 : 700);
    close_device(d);
  }
}

// The view that the kernel waits for is open for longer than a touch may wait: then the kernel goes on without the page, and the view has it.
static void a_kernel_does_not_wait_for_a_view_for_ever(const struct shape *shape) {
  for (int writes = 0; writes < 2; writes++) {
    struct device it, *d = open_device_in(open_heap_with_touch_timeout(shape, PAGES, 20000000), shape, PAGES, LEAST, &it);
    struct hmm_violation violation;
    if (!d) return;
    start(d, writes ? write_in_the_middle : wait_in_the_middle, true);
    AWAIT(d->running);
    CHECK_EQUAL(fetch(d->heap, 3, 4, HMM_PIN | (writes ? 0 : HMM_EXCLUSIVE)), 0); // one that is only read keeps nobody from reading
    d->go = true;
    CHECK(finish(d, &violation));
    CHECK_EQUAL(violation.kind, HMM_HELD);
    CHECK_EQUAL(violation.page, 3);
    CHECK_EQUAL(violation.offset, writes ? 8 : 0);
    CHECK_EQUAL(violation.write, (uint64_t)writes);
    if (!writes) CHECK_EQUAL(d->sum, 0);
    CHECK_EQUAL(*(uint32_t *)(void *)(d->heap->alias + 3 * PAGE), 7);
    CHECK_EQUAL(((uint32_t *)(void *)(d->heap->alias + 3 * PAGE))[2], 0);
    unpin(d->heap, 3, !writes);
    CHECK_EQUAL(hmm_wake_device(d->heap->pager, 3, 4), 0);
    start(d, wait_in_the_middle, true);
    d->go = true;
    CHECK(!finish(d, &violation)); // it is an ordinary page again
    CHECK_EQUAL(d->sum, 700);
    close_device(d);
  }
}

// ---- what is refused

ON_DEVICE static void run_wild(void *arg) {
  struct device *d = arg;
  *on_device(d, 10, 9) = 1; // all of this is wild but the last
  d->sum = *on_device(d, 10, 9) + *on_device(d, 11, 0);
  *on_device(d, 12, 1) = 4;
  for (uint64_t page = 100; page < 300; page++) *on_device(d, page, 0) = 9;
  *on_device(d, 50, 0) += 2;
}

static void a_refused_access_gets_a_page_of_its_own(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
  struct hmm_violation violation;
  if (!d) return;
  for (uint64_t page = 0; page < PAGES; page++) put(d->heap, page, 6);
  for (uint64_t page = 100; page < 300; page++) set_word(d->heap, page, word_next(word(d->heap, page), UNMAPPED, 0, 0, 0));
  set_word(d->heap, 10, word_next(word(d->heap, 10), UNMAPPED, 0, 0, 0));
  set_word(d->heap, 11, word_next(word(d->heap, 11), POISONED, 0, 0, 0));
  protect(d->heap, 12, 1);
  start(d, run_wild, true);
  CHECK(finish(d, &violation));
  CHECK_EQUAL(violation.kind, HMM_OUTSIDE);
  CHECK_EQUAL(violation.page, 10);
  CHECK_EQUAL(violation.offset, 36);
  CHECK_EQUAL(violation.write, 1);
  CHECK_EQUAL(d->heap->alias[12 * PAGE + 4], 0);
  expect(d->heap, 12, 6);
  CHECK_EQUAL(*on_host(d, 50, 0), 2);
  CHECK_EQUAL(there(d), 1); // page 50 is left, to be read, and nothing of them
  CHECK_EQUAL(state(d->heap, 10), UNMAPPED);
  for (uint64_t page = 100; page < 300; page++) set_word(d->heap, page, word_next(word(d->heap, page), EMPTY, 0, 0, 0));
  start(d, run_wild, true);
  CHECK(finish(d, &violation)); // told again
  CHECK_EQUAL(violation.page, 10);
  CHECK_EQUAL(*on_host(d, 200, 0), 9);
  close_device(d);
}

ON_DEVICE static void run_wild_first(void *arg) {
  struct device *d = arg;
  *on_device(d, 2, 0) = 1;
  for (uint64_t page = 100; page < 140; page++) *on_device(d, page, 0) = 2; // so that page 2 may go
  d->running = true;
  AWAIT(d->go);
}

// Somebody is about to evict it when the kernel ends: the next one must not find it there, and write to nowhere untold.
static void a_page_of_its_own_ends_with_the_kernel(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
  struct hmm_violation violation;
  uint64_t victims[PAGES];
  if (!d) return;
  set_word(d->heap, 2, word_next(word(d->heap, 2), UNMAPPED, 0, 0, 0));
  for (int round = 0; round < 2; round++) {
    start(d, run_wild_first, true);
    AWAIT(d->running);
    uint64_t n = choose_to_go(d->heap->pager, d->index, victims, PAGES);
    CHECK(n);
    d->go = true;
    CHECK(finish(d, &violation));
    CHECK_EQUAL(violation.page, 2);
    CHECK_EQUAL(there_in(d, 2, 3), 0);
    let_them_stay(d->heap->pager, d->index, victims, n);
    AWAIT(left_in(d->heap->pager, d->index).taken == there(d)); // as with nothing_left_in
  }
  close_device(d);
}

ON_DEVICE static void write_to_page_2(void *arg) {
  struct device *d = arg;
  *on_device(d, 2, 0) = 77;
  d->running = true;
  AWAIT(d->go);
  d->sum = *on_device(d, 2, 0);
  *on_device(d, 2, 0) = 78;
}

// The kernel has the page when its rights change.
static void rights_change_in_the_middle(const struct shape *shape) {
  for (uint64_t access = 0; access < 3; access++) {
    struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
    struct hmm_violation violation = {0};
    if (!d) return;
    start(d, write_to_page_2, true);
    AWAIT(d->running);
    protect(d->heap, 2, access);
    d->go = true;
    CHECK_EQUAL(finish(d, &violation), access < 2);
    const uint64_t kinds[] = {HMM_UNREADABLE, HMM_UNWRITABLE, 0};
    CHECK_EQUAL(violation.kind, kinds[access]);
    CHECK_EQUAL(d->sum, access ? 77 : 0);
    protect(d->heap, 2, 2);
    CHECK_EQUAL(*on_host(d, 2, 0), access < 2 ? 77 : 78);
    close_device(d);
  }
}

static void contents_are_given_up_in_the_middle(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
  struct hmm_violation violation;
  if (!d) return;
  start(d, write_to_page_2, true);
  AWAIT(d->running);
  CHECK_EQUAL(hmm_discard(d->heap->pager, 2, 3, NULL), 0);
  d->go = true;
  CHECK(!finish(d, &violation));
  CHECK_EQUAL(d->sum, 0);
  CHECK_EQUAL(*on_host(d, 2, 0), 78);
  close_device(d);
}

// As RegionChanges does it: the words, the mapping, and then it waits.
static void a_region_goes_in_the_middle(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
  struct hmm_violation violation;
  if (!d) return;
  start(d, write_to_page_2, true);
  AWAIT(d->running);
  set_word(d->heap, 2, word_next(word(d->heap, 2), UNMAPPED, 0, 0, 0));
  CHECK_EQUAL(hmm_forbid(d->heap->pager, 2, 3, 0), 0);
  CHECK_EQUAL(there(d), 0);
  d->go = true;
  CHECK_EQUAL(hmm_await(d->heap->pager, -1, 2, 3, 0), 0);
  CHECK(finish(d, &violation));
  CHECK_EQUAL(violation.kind, HMM_OUTSIDE);
  CHECK_EQUAL(d->sum, 0);
  set_word(d->heap, 2, word_next(word(d->heap, 2), EMPTY, 0, 0, 0)); // another region
  CHECK_EQUAL(hmm_set_access(d->heap->pager, 2, 3, 2), 0);
  CHECK_EQUAL(*on_host(d, 2, 0), 0);
  close_device(d);
}

static void all_comes_home_when_asked(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
  if (!d) return;
  run(d, add_three, true);
  for (uint64_t page = 0; page < PAGES; page++) CHECK_EQUAL(*on_host(d, page, 1), 3);
  d->first = 0, d->end = 40;
  run(d, add_three, true);
  CHECK_EQUAL(hmm_take_home(d->heap->pager, 0, 0, PAGES), 0);
  CHECK_EQUAL(there(d), 0);
  for (uint64_t page = 0; page < PAGES; page++) CHECK_EQUAL(*on_host(d, page, 1), page < 40 ? 6 : 3);
  close_device(d);
}

// ---- failures

static void a_launch_that_fails_poisons_what_the_device_has(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
  struct hmm_violation violation;
  unsigned char byte;
  if (!d) return;
  d->end = 20;
  put(d->heap, 30, 4);
  d->launching = (struct launching){.kernel = {add_three, d, -5}};
  CHECK_EQUAL(launch(d->heap, &d->launching, 0, 0, 20, true), 0);
  CHECK(!finish(d, &violation));
  CHECK_EQUAL(state(d->heap, 3), POISONED);
  CHECK(touch_read(d->heap, 3, &byte));
  CHECK_EQUAL(hmm_discard(d->heap->pager, 0, 20, NULL), 0);
  run(d, add_three, true);
  CHECK_EQUAL(*on_host(d, 3, 0), 3);
  expect(d->heap, 30, 4);
  fake_fail(HMM_CL_ENQUEUE_KERNEL, -6, 0, 1);
  d->launching = (struct launching){.kernel = {add_three, d, 0}};
  CHECK(launch(d->heap, &d->launching, 0, 0, 20, true) < 0);
  run(d, add_three, true);
  CHECK_EQUAL(*on_host(d, 3, 0), 6);
  close_device(d);
}

ON_DEVICE static void write_and_stay(void *arg) {
  struct device *d = arg;
  *on_device(d, 3, 0) = 7;
  d->running = true;
  AWAIT(d->go);
}

// It would find the page as the failed one has left it, and nobody would be told. Also where the host is about to get it.
static void the_next_kernel_is_told_what_a_failed_one_has_lost(const struct shape *shape) {
  for (int fetched = 0; fetched < 2; fetched++) {
    struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
    struct hmm_violation violation;
    struct toucher reader;
    if (!d) return;
    d->first = 3, d->end = 4;
    d->launching = (struct launching){.kernel = {write_and_stay, d, -5}};
    CHECK_EQUAL(launch(d->heap, &d->launching, 0, 3, 4, true), 0);
    AWAIT(d->running);
    if (fetched) {
      CHECK_EQUAL(hmm_step_arm(d->heap->pager, HMM_STEP_CLAIMED, 1), 0);
      start_toucher(&reader, d->heap, 3, false, 0);
      CHECK_EQUAL(hmm_step_await(d->heap->pager, HMM_STEP_CLAIMED, 10000), 1);
    }
    d->go = true;
    CHECK(!finish(d, &violation));
    if (fetched) {
      CHECK_EQUAL(hmm_step_arm(d->heap->pager, HMM_STEP_CLAIMED, 0), 0);
      join_toucher(&reader);
      CHECK(reader.error);
    }
    CHECK_EQUAL(state(d->heap, 3), POISONED);
    CHECK_EQUAL(there(d), 0);
    start(d, sum_all, false);
    CHECK(finish(d, &violation));
    CHECK_EQUAL(violation.kind, HMM_LOST);
    CHECK_EQUAL(d->sum, 0);
    close_device(d);
  }
}

static void the_next_kernel_waits_for_its_turn(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
  if (!d) return;
  struct launching many[20];
  d->end = 10;
  for (int i = 0; i < 20; i++) {
    many[i] = (struct launching){.kernel = {add_three, d, 0}};
    CHECK_EQUAL(launch(d->heap, &many[i], 0, 0, 10, true), 0);
    CHECK(many[i].request.event);
  }
  for (int i = 0; i < 20; i++) {
    struct hmm_violation violation;
    CHECK_EQUAL(hmm_violation_of(d->heap->pager, many[i].request.number, &violation), 0);
    fake_wait((void *)(uintptr_t)many[i].request.event);
  }
  CHECK_EQUAL(*on_host(d, 9, 0), 60);
  close_device(d);
}

static void *launch_next(void *arg) {
  struct device *d = arg;
  CHECK_EQUAL(launch(d->heap, &d->next, 0, d->first, d->end, true), 0);
  return NULL;
}

// Neither the host nor the kernel that runs may wait for one that waits for that kernel to end.
static void nobody_waits_for_a_kernel_that_waits_for_its_turn(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
  struct hmm_violation violation;
  if (!d) return;
  start(d, wait_in_the_middle, true);
  AWAIT(d->running);
  d->next = (struct launching){.kernel = {add_three, d, 0}};
  pthread_t next = start_thread(launch_next, d);
  AWAIT(hmm_used(d->heap->pager, 0, NULL, 0) == 2);
  CHECK_EQUAL(*on_host(d, 3, 0), 7); // which only the first kernel has used yet
  *on_host(d, 3, 1) = 8;
  CHECK(!d->next.request.event);
  d->go = true;
  CHECK(!finish(d, &violation));
  CHECK_EQUAL(d->sum, 708);
  pthread_join(next, NULL);
  CHECK(d->next.request.event);
  CHECK_EQUAL(hmm_violation_of(d->heap->pager, d->next.request.number, &violation), 0);
  fake_wait((void *)(uintptr_t)d->next.request.event);
  CHECK_EQUAL(*on_host(d, 3, 1), 11);
  close_device(d);
}

static void *await_uses(void *arg) {
  struct device *d = arg;
  CHECK_EQUAL(hmm_await(d->heap->pager, 0, d->first, d->end, false), 0);
  d->running = false;
  return NULL;
}

// Between the two calls the caller looks whether its pages are still what he takes them for: nobody else may make anything of them, and no other kernel run.
static void what_has_begun_goes_or_is_withdrawn(const struct shape *shape) {
  static const size_t one = 1;
  for (int goes = 0; goes < 2; goes++) {
    struct device it, *d = open_device_with(shape, PAGES, LEAST, &it);
    struct hmm_violation violation;
    struct hmm_failure failure;
    if (!d) return;
    d->first = 0, d->end = 10;
    d->launching = (struct launching){.kernel = {add_three, d, 0}, .use = {0, 10, true, 0}};
    struct hmm_launch request = {.device = 0, .uses = (uint64_t)(uintptr_t)&d->launching.use, .use_count = 1, .queue = (uint64_t)(uintptr_t)d->heap->devices[0].queue,
                                 .kernel = (uint64_t)(uintptr_t)&d->launching.kernel, .dimensions = 1, .global = (uint64_t)(uintptr_t)&one};
    CHECK_EQUAL(hmm_launch_begin(d->heap->pager, &request, &failure), 0);
    CHECK(request.number);
    d->running = true;
    pthread_t waits = start_thread(await_uses, d);
    d->next = (struct launching){.kernel = {add_three, d, 0}};
    pthread_t next = start_thread(launch_next, d);
    AWAIT(hmm_used(d->heap->pager, 0, NULL, 0) == 2);
    CHECK(d->running);
    CHECK(!d->next.request.event);
    if (goes) CHECK_EQUAL(hmm_launch_go(d->heap->pager, &request, &failure), 0);
    CHECK_EQUAL(hmm_launch_withdraw(d->heap->pager, request.number), 0);
    pthread_join(next, NULL);
    pthread_join(waits, NULL);
    CHECK_EQUAL(hmm_violation_of(d->heap->pager, request.number, &violation), 0);
    if (goes) fake_wait((void *)(uintptr_t)request.event);
    CHECK_EQUAL(hmm_violation_of(d->heap->pager, d->next.request.number, &violation), 0);
    fake_wait((void *)(uintptr_t)d->next.request.event);
    CHECK_EQUAL(*on_host(d, 9, 0), goes ? 6 : 3);
    close_device(d);
  }
}

const struct test faulting_tests[] = {
    {"goes_over_more_than_it_holds", goes_over_more_than_it_holds, NEEDS_TRAP | ONE_WAY},
    {"what_nobody_has_written_reads_as_zeros", what_nobody_has_written_reads_as_zeros, NEEDS_TRAP | ONE_WAY},
    {"a_budget_that_is_too_small_is_refused", a_budget_that_is_too_small_is_refused, NEEDS_TRAP | ONE_WAY},
#ifdef __x86_64__
    {"an_instruction_gets_all_the_pages_that_it_needs", an_instruction_gets_all_the_pages_that_it_needs, NEEDS_TRAP | ONE_WAY},
#endif
    {"pages_that_are_there_are_closed_for_want_of_mappings", pages_that_are_there_are_closed_for_want_of_mappings, NEEDS_TRAP | ONE_WAY},
    {"both_sides_add_to_the_same_words", both_sides_add_to_the_same_words, NEEDS_TRAP | ONE_WAY},
    {"the_host_does_not_wait_for_the_kernel", the_host_does_not_wait_for_the_kernel, NEEDS_TRAP | ONE_WAY},
    {"a_kernel_waits_for_a_view", a_kernel_waits_for_a_view, NEEDS_TRAP | ONE_WAY},
    {"a_kernel_does_not_wait_for_a_view_for_ever", a_kernel_does_not_wait_for_a_view_for_ever, NEEDS_TRAP | ONE_WAY},
    {"nobody_waits_for_a_kernel_that_waits_for_its_turn", nobody_waits_for_a_kernel_that_waits_for_its_turn, NEEDS_TRAP | ONE_WAY},
    {"a_refused_access_gets_a_page_of_its_own", a_refused_access_gets_a_page_of_its_own, NEEDS_TRAP | ONE_WAY},
    {"a_page_of_its_own_ends_with_the_kernel", a_page_of_its_own_ends_with_the_kernel, NEEDS_TRAP | ONE_WAY},
    {"rights_change_in_the_middle", rights_change_in_the_middle, NEEDS_TRAP | ONE_WAY},
    {"contents_are_given_up_in_the_middle", contents_are_given_up_in_the_middle, NEEDS_TRAP | ONE_WAY},
    {"a_region_goes_in_the_middle", a_region_goes_in_the_middle, NEEDS_TRAP | ONE_WAY},
    {"all_comes_home_when_asked", all_comes_home_when_asked, NEEDS_TRAP | ONE_WAY},
    {"a_launch_that_fails_poisons_what_the_device_has", a_launch_that_fails_poisons_what_the_device_has, NEEDS_TRAP | ONE_WAY},
    {"the_next_kernel_is_told_what_a_failed_one_has_lost", the_next_kernel_is_told_what_a_failed_one_has_lost, NEEDS_TRAP | ONE_WAY},
    {"what_has_begun_goes_or_is_withdrawn", what_has_begun_goes_or_is_withdrawn, NEEDS_TRAP | ONE_WAY},
    {"the_next_kernel_waits_for_its_turn", the_next_kernel_waits_for_its_turn, NEEDS_TRAP | ONE_WAY},
    {0},
};
