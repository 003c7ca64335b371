// quota_test.c - of some pages no more are in a device's range at once than their quota says.
#include "on_device.h"

#include <errno.h>

// Of 50 pages.
static void begin_regions(struct device *d) {
  for (uint64_t page = 0; page < d->heap->pages; page += 50) d->heap->region_starts[page] = 1;
}

static void a_quota_holds_whatever_the_budget(const struct shape *shape) {
  const uint64_t budgets[] = {PAGES, 3 * LEAST, LEAST + 5, LEAST};
  for (int b = 0; b < 4; b++) {
    struct device it, *d = open_device_with(shape, PAGES, budgets[b], &it);
    if (!d) return;
    begin_regions(d);
    for (uint64_t page = 0; page < PAGES; page++) {
      for (uint64_t i = 0; i < WORDS; i++) *on_host(d, page, i) = value(page, i);
    }
    run(d, add_three, true);
    CHECK_EQUAL(hmm_set_quota(d->heap->pager, d->index, 0, 150, LEAST + 10), 0);
    CHECK(there_in(d, 0, 150) <= LEAST + 10); // what was there beyond it has gone
    CHECK_EQUAL(hmm_set_quota(d->heap->pager, d->index, 200, 400, LEAST), 0);
    run(d, add_three, true);
    CHECK(there_in(d, 0, 150) <= LEAST + 10);
    CHECK(there_in(d, 200, 400) <= LEAST);
    CHECK_EQUAL(hmm_set_quota(d->heap->pager, d->index, 100, 300, LEAST + 1), 0); // takes a part of either
    run(d, add_three, true);
    CHECK(there_in(d, 0, 100) <= LEAST + 10);
    CHECK(there_in(d, 100, 300) <= LEAST + 1);
    CHECK(there_in(d, 300, 400) <= LEAST);
    if (budgets[b] == PAGES) CHECK_EQUAL(there_in(d, 100, 300), LEAST + 1);
    CHECK_EQUAL(hmm_set_quota(d->heap->pager, d->index, 0, PAGES, PAGES), 0); // none
    run(d, add_three, true);
    if (budgets[b] == PAGES) CHECK_EQUAL(there(d), PAGES);
    for (uint64_t page = 0; page < PAGES; page++) {
      for (uint64_t i = 0; i < WORDS; i++) CHECK_EQUAL(*on_host(d, page, i), value(page, i) + 12);
    }
    CHECK_EQUAL(hmm_set_quota(d->heap->pager, d->index, 0, PAGES, LEAST - 1), -EINVAL);
    CHECK_EQUAL(hmm_set_quota(d->heap->pager, d->index, 0, PAGES + 1, LEAST), -EINVAL);
    CHECK_EQUAL(hmm_set_quota(d->heap->pager, d->index, 5, 5, LEAST), -EINVAL);
    close_device(d);
  }
}

struct watching {
  struct device *device;
  uint64_t first, end, most;
  _Atomic bool over;
};

// At one moment each time, while a kernel runs.
static void *watch_quota(void *arg) {
  struct watching *w = arg;
  uint64_t pages[PAGES];
  while (!w->over) {
    uint64_t n = hmm_there(w->device->heap->pager, w->device->index, pages, PAGES), in = 0;
    CHECK(n <= w->device->budget);
    for (uint64_t i = 0; i < n; i++) in += pages[i] >= w->first && pages[i] < w->end;
    CHECK(in <= w->most);
  }
  return NULL;
}

// With room for all, a stream under a quota leaves the others where they are.
static void who_has_a_quota_makes_room_first(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, PAGES, 3 * LEAST, &it);
  if (!d) return;
  begin_regions(d);
  d->end = LEAST;
  run(d, add_three, true);
  CHECK_EQUAL(hmm_set_quota(d->heap->pager, d->index, 100, PAGES, LEAST), 0);
  d->first = 100, d->end = PAGES;
  struct watching watching = {d, 100, PAGES, LEAST, false};
  pthread_t watch = start_thread(watch_quota, &watching);
  for (int i = 0; i < 5; i++) run(d, i % 2 ? sum_all : add_three, !(i % 2));
  watching.over = true;
  pthread_join(watch, NULL);
  CHECK_EQUAL(there_in(d, 0, LEAST), LEAST);
  CHECK_EQUAL(there_in(d, 100, PAGES), LEAST);
  close_device(d);
}

struct changing {
  struct device *device;
  _Atomic bool over;
};

static void *change_quotas(void *arg) {
  struct changing *c = arg;
  uint64_t random = 4711;
  while (!c->over) {
    uint64_t first = next_random(&random) % 6 * 50, end = first + 50 + next_random(&random) % (6 - first / 50) * 50;
    CHECK_EQUAL(hmm_set_quota(c->device->heap->pager, c->device->index, first, end, LEAST + next_random(&random) % 60), 0);
  }
  return NULL;
}

// Also no kernel hangs, whatever becomes of the quotas meanwhile.
static void quotas_change_in_the_middle(const struct shape *shape) {
  const uint64_t budgets[] = {PAGES, LEAST + 20, LEAST};
  for (int b = 0; b < 3; b++) {
    struct device it, *d = open_device_with(shape, 300, budgets[b], &it);
    if (!d) return;
    begin_regions(d);
    d->rounds = shape->quick ? 1000 : 10000;
    d->seed = 5555;
    struct adding beside = {d, d->heap->app, 31};
    struct changing changing = {.device = d};
    pthread_t changes = start_thread(change_quotas, &changing);
    start(d, add_by_two, true);
    pthread_t thread = start_thread(add_everywhere, &beside);
    struct hmm_violation violation;
    CHECK(!finish(d, &violation));
    pthread_join(thread, NULL);
    changing.over = true;
    pthread_join(changes, NULL);
    for (uint64_t first = 0; first < 300; first += 100) CHECK_EQUAL(hmm_set_quota(d->heap->pager, d->index, first, first + 100, LEAST), 0);
    for (uint64_t first = 0; first < 300; first += 100) CHECK(there_in(d, first, first + 100) <= LEAST);
    CHECK_EQUAL(added(d), 3 * (uint64_t)d->rounds);
    close_device(d);
  }
}

const struct test quota_tests[] = {
    {"a_quota_holds_whatever_the_budget", a_quota_holds_whatever_the_budget, NEEDS_TRAP | ONE_WAY},
    {"who_has_a_quota_makes_room_first", who_has_a_quota_makes_room_first, NEEDS_TRAP | ONE_WAY},
    {"quotas_change_in_the_middle", quotas_change_in_the_middle, NEEDS_TRAP | ONE_WAY},
    {0},
};
