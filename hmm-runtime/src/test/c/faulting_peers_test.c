// faulting_peers_test.c - several devices of one heap whose kernels fault: what one has, another one takes.
#define _GNU_SOURCE
#include "on_device.h"

#include <errno.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

static uint64_t sum_on_host(struct device *d) {
  uint64_t sum = 0;
  for (uint64_t page = 0; page < d->heap->pages; page++) {
    for (uint64_t i = 0; i < WORDS; i++) sum += *on_host(d, page, i);
  }
  return sum;
}

static void what_one_has_another_gets(const struct shape *shape) {
  const uint64_t budgets[] = {PAGES, LEAST};
  for (int b = 0; b < 4; b++) {
    struct device first, second, *d = open_device_with(shape, PAGES, budgets[b & 1], &first);
    if (!d) return;
    struct device *devices[] = {d, beside(d, budgets[b >> 1], &second)};
    for (uint64_t page = 0; page < PAGES; page++) *on_host(d, page, 1) = (uint32_t)page;
    uint64_t sum = (uint64_t)PAGES * (PAGES - 1) / 2;
    for (int round = 0; round < 6; round++) {
      run(devices[round & 1], add_three, true);
      sum += 3 * PAGES * WORDS;
      for (int i = 0; i < 2; i++) {
        run(devices[(round >> 1 & 1) ^ i], sum_all, false);
        CHECK_EQUAL(devices[(round >> 1 & 1) ^ i]->sum, sum);
        CHECK(there(devices[i]) <= devices[i]->budget);
      }
    }
    CHECK_EQUAL(sum_on_host(d), sum);
    CHECK_EQUAL(counted(d->heap, HMM_DEVICE_STRAYS), 0);
    close_device(d);
    free_range(&second);
  }
}

ON_DEVICE static void read_page_3(void *arg) {
  struct device *d = arg;
  d->sum = *on_device(d, 3, 0);
}

ON_DEVICE static void write_page_3(void *arg) {
  struct device *d = arg;
  *on_device(d, 3, 0) += (uint32_t)d->seed;
}

static void the_word_says_who_has_a_page(const struct shape *shape) {
  struct device first, second, *a = open_device_with(shape, PAGES, LEAST, &first);
  if (!a) return;
  struct device *b = beside(a, LEAST, &second);
  a->seed = 5, b->seed = 20;
  run(a, write_page_3, true);
  CHECK_EQUAL(word_holders(word(a->heap, 3)), 1);
  run(b, read_page_3, false);
  CHECK_EQUAL(b->sum, 5);
  CHECK_EQUAL(state(a->heap, 3), PEERS); // the host need not have it
  CHECK_EQUAL(word_sharers(word(a->heap, 3)), 3);
  CHECK_EQUAL(hmm_take_home(a->heap->pager, 0, 3, 4), 0);
  CHECK_EQUAL(state(a->heap, 3), DEVICE); // the other one has it still
  CHECK_EQUAL(there(a), 0);
  run(a, read_page_3, false);
  CHECK_EQUAL(a->sum, 5);
  CHECK_EQUAL(*on_host(a, 3, 0), 5);
  CHECK_EQUAL(state(a->heap, 3), SHARED);
  CHECK_EQUAL(word_sharers(word(a->heap, 3)), 3);
  run(b, write_page_3, true);
  CHECK_EQUAL(state(a->heap, 3), DEVICE);
  CHECK_EQUAL(word_device(word(a->heap, 3)), 1);
  CHECK_EQUAL(there(a), 0);
  run(a, write_page_3, true);
  CHECK_EQUAL(there(b), 0);
  run(b, read_page_3, false);
  run(a, write_page_3, true); // of those who read it
  CHECK_EQUAL(there(b), 0);
  CHECK_EQUAL(word_holders(word(a->heap, 3)), 1);
  run(b, read_page_3, false);
  *on_host(a, 3, 0) += 100;
  CHECK_EQUAL(there(a) + there(b), 0);
  CHECK_EQUAL(state(a->heap, 3), HOST);
  CHECK_EQUAL(*on_host(a, 3, 0), 135);
  CHECK_EQUAL(hmm_take_home(a->heap->pager, 2, 3, 4), -EINVAL);
  close_device(a);
  free_range(b);
}

// Two kernels of two threads each, and the host: each page goes round, and nothing is lost.
static void all_add_to_the_same_words(const struct shape *shape) {
  const uint64_t pages[] = {120, 3};
  for (int p = 0; p < 2; p++) {
    struct device first, second, *a = open_device_with(shape, pages[p], LEAST, &first);
    struct hmm_violation violation;
    if (!a) return;
    struct device *b = beside(a, LEAST, &second);
    a->rounds = b->rounds = shape->quick ? 300 : 3000;
    a->seed = 77, b->seed = 4000;
    start(a, add_by_two, true);
    start(b, add_by_two, true);
    add_everywhere(&(struct adding){a, a->heap->app, 31});
    CHECK(!finish(a, &violation));
    CHECK(!finish(b, &violation));
    CHECK_EQUAL(added(a), 5 * (uint64_t)a->rounds);
    close_device(a);
    free_range(b);
  }
}

ON_DEVICE static void hand_over(void *arg) { // a word that says whose turn it is
  struct device *d = arg;
  for (uint32_t i = 0; i < (uint32_t)d->rounds; i++) {
    while (__atomic_load_n(on_device(d, 7, 0), __ATOMIC_SEQ_CST) != 2 * i + d->index) {}
    *on_device(d, 8, 5) += 1;
    __atomic_store_n(on_device(d, 7, 0), 2 * i + d->index + 1, __ATOMIC_SEQ_CST);
  }
}

static void kernels_of_two_devices_talk_to_each_other(const struct shape *shape) {
  struct device first, second, *a = open_device_with(shape, PAGES, LEAST, &first);
  struct hmm_violation violation;
  if (!a) return;
  struct device *b = beside(a, LEAST, &second);
  a->rounds = b->rounds = 100;
  start(a, hand_over, true);
  start(b, hand_over, true);
  CHECK(!finish(a, &violation));
  CHECK(!finish(b, &violation));
  CHECK_EQUAL(*on_host(a, 8, 5), 200);
  close_device(a);
  free_range(b);
}

#ifdef __x86_64__
// Sixteen elements, each on two pages of its own, which the other device writes to as well: every instruction needs all 32 of them at once.
ON_DEVICE __attribute__((target("avx512f"))) static void scatter(void *arg) {
  struct device *d = arg;
  int32_t offsets[16], values[16], got[16];
  for (int i = 0; i < 16; i++) offsets[i] = (2 * (int32_t)((unsigned)i * 5 % 16) + 1) * (int32_t)PAGE - 2 - 4 * (int32_t)d->index;
  if (d->index) { // in another order
    for (int i = 0; i < 8; i++) {
      int32_t o = offsets[i];
      offsets[i] = offsets[15 - i], offsets[15 - i] = o;
    }
  }
  for (int round = 1; round <= d->rounds; round++) {
    d->round = round;
    AWAIT(d->other->round >= round); // both want them
    for (int i = 0; i < 16; i++) values[i] = round * 100 + offsets[i] % 91;
    _mm512_i32scatter_epi32(d->range, _mm512_loadu_si512(offsets), _mm512_loadu_si512(values), 1);
    _mm512_storeu_si512(got, _mm512_i32gather_epi32(_mm512_loadu_si512(offsets), d->range, 1));
    for (int i = 0; i < 16; i++) d->sum += got[i] != values[i];
  }
}

// The bytes of one device: two of an element's lie on the other page, and of the other device's all on the first.
static void instructions_of_two_devices_get_through(const struct shape *shape) {
  struct device first, second, *a = __builtin_cpu_supports("avx512f") ? open_device_with(shape, PAGES, LEAST, &first) : NULL;
  struct hmm_violation violation;
  if (!a) return;
  struct device *b = beside(a, LEAST, &second);
  a->rounds = b->rounds = shape->quick ? 20 : 100;
  a->other = b, b->other = a;
  start(a, scatter, true);
  start(b, scatter, true);
  CHECK(!finish(a, &violation));
  CHECK(!finish(b, &violation));
  CHECK_EQUAL(a->sum + b->sum, 0);
  close_device(a);
  free_range(b);
}
#endif

// One device has taken a page from another one, whose kernel fails then.
ON_DEVICE static void write_and_wait(void *arg) {
  struct device *d = arg;
  *on_device(d, 3, 0) = 7;
  *on_device(d, 4, 0) = 7;
  d->running = true;
  AWAIT(d->go);
}

static void a_kernel_that_fails_poisons_what_its_device_has_left(const struct shape *shape) {
  struct device first, second, *a = open_device_with(shape, PAGES, LEAST, &first);
  struct hmm_violation violation;
  if (!a) return;
  struct device *b = beside(a, LEAST, &second);
  a->launching = (struct launching){.kernel = {write_and_wait, a, -5}};
  CHECK_EQUAL(launch(a->heap, &a->launching, 0, 0, 20, true), 0);
  AWAIT(a->running);
  run(b, read_page_3, false);
  CHECK_EQUAL(b->sum, 7);
  a->go = true;
  CHECK(!finish(a, &violation));
  CHECK_EQUAL(state(a->heap, 3), PEERS);
  CHECK_EQUAL(state(a->heap, 4), POISONED);
  b->seed = 1;
  run(b, write_page_3, true);
  CHECK_EQUAL(*on_host(a, 3, 0), 8);
  close_device(a);
  free_range(b);
}

// The words change, or the contents go, while both devices have the page.
static void changes_reach_both_devices(const struct shape *shape) {
  struct device first, second, *a = open_device_with(shape, PAGES, LEAST, &first);
  struct hmm_violation violation;
  if (!a) return;
  struct device *b = beside(a, LEAST, &second);
  a->seed = 5, b->seed = 20;
  run(a, write_page_3, true);
  run(b, read_page_3, false);
  protect(a->heap, 3, 1);
  for (int i = 0; i < 2; i++) {
    start(i ? a : b, write_page_3, true);
    CHECK(finish(i ? a : b, &violation));
    CHECK_EQUAL(violation.kind, HMM_UNWRITABLE);
  }
  protect(a->heap, 3, 0);
  CHECK_EQUAL(there(a) + there(b), 0);
  protect(a->heap, 3, 2);
  CHECK_EQUAL(*on_host(a, 3, 0), 5);
  run(a, read_page_3, false);
  run(b, read_page_3, false);
  CHECK_EQUAL(hmm_discard(a->heap->pager, 3, 4, NULL), 0);
  CHECK_EQUAL(there(a) + there(b), 0);
  run(b, write_page_3, true);
  run(a, read_page_3, false);
  CHECK_EQUAL(a->sum, 20);
  set_word(a->heap, 3, word_next(word(a->heap, 3), UNMAPPED, 0, 0, 0));
  CHECK_EQUAL(hmm_forbid(a->heap->pager, 3, 4, 0), 0);
  CHECK_EQUAL(there(a) + there(b), 0);
  start(b, read_page_3, false);
  CHECK(finish(b, &violation));
  CHECK_EQUAL(violation.kind, HMM_OUTSIDE);
  CHECK_EQUAL(violation.launch, b->launching.request.number);
  close_device(a);
  free_range(b);
}

const struct test faulting_peers_tests[] = {
    {"what_one_has_another_gets", what_one_has_another_gets, NEEDS_TRAP | ONE_WAY},
    {"the_word_says_who_has_a_page", the_word_says_who_has_a_page, NEEDS_TRAP | ONE_WAY},
    {"all_add_to_the_same_words", all_add_to_the_same_words, NEEDS_TRAP | ONE_WAY},
    {"kernels_of_two_devices_talk_to_each_other", kernels_of_two_devices_talk_to_each_other, NEEDS_TRAP | ONE_WAY},
#ifdef __x86_64__
    {"instructions_of_two_devices_get_through", instructions_of_two_devices_get_through, NEEDS_TRAP | ONE_WAY},
#endif
    {"a_kernel_that_fails_poisons_what_its_device_has_left", a_kernel_that_fails_poisons_what_its_device_has_left, NEEDS_TRAP | ONE_WAY},
    {"changes_reach_both_devices", changes_reach_both_devices, NEEDS_TRAP | ONE_WAY},
    {0},
};
