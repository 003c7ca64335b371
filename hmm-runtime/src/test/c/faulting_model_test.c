// faulting_model_test.c - as model_test.c, with two devices whose kernels fault: random operations of several threads against one byte for each part of a page, with which that part is filled.
//
// Each page has as many parts as there are players, so what becomes of a page for one of them the others must not notice: a kernel writes to its part while the host touches another, a view holds a third, and
// the page goes from device to device meanwhile. A part belongs to one player, who alone changes and checks it: by kernels, touches and views. What is done to all of a page (contents given up, rights taken
// away, the region gone, a kernel that fails) waits until nobody uses it. All else everybody does at any time: calling pages home, quotas, orders of victims, reading.
//
// Other devices have no pages here: either all devices of a heap fault or none (HmmBuilder). The seed of a failure is printed; threads are not repeatable, their choices are.
#define _GNU_SOURCE
#include "on_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>

#include "left.h"

#define MANY 100   // pages: more than the least budget
#define PLAYERS 4
#define PART (PAGE / PLAYERS)
#define KERNEL_PAGES 24 // at most

struct model {
  struct heap *heap;
  struct device *devices[2];
  uint64_t seed;
  pthread_rwlock_t used[MANY]; // exclusive for whoever changes all of the page
  unsigned char contents[MANY][PLAYERS];
};

struct player {
  struct model *model;
  uint64_t index, random;
  int operations;
};

struct work { // of a kernel, which goes over its pages with two threads
  struct model *model;
  struct device *device;
  uint64_t part, first, end;
  bool write;
  unsigned char value;
};

ON_DEVICE static void check_part(const volatile unsigned char *bytes, unsigned char value, const struct model *m, uint64_t page, uint64_t part) {
  for (size_t i = 0; i < PART; i++) {
    if (bytes[i] != value) fprintf(stderr, "seed %lu: byte %zu of part %lu of page %lu\n", m->seed, i, part, page);
    CHECK_EQUAL(bytes[i], value);
  }
}

ON_DEVICE static void use_pages(const struct work *w, uint64_t from, uint64_t step) {
  for (uint64_t page = w->first + from; page < w->end; page += step) {
    volatile unsigned char *bytes = w->device->range + page * PAGE + w->part * PART;
    check_part(bytes, w->model->contents[page][w->part], w->model, page, w->part);
    for (size_t i = 0; i < PART && w->write; i++) bytes[i] = w->value;
  }
}

static void *use_every_second(void *arg) {
  use_pages(arg, 1, 2);
  return NULL;
}

static void kernel(void *arg) {
  pthread_t thread = start_thread(use_every_second, arg);
  use_pages(arg, 0, 2);
  pthread_join(thread, NULL);
}

static bool launch_work(struct work *w, int status, struct hmm_violation *violation) {
  struct launching l = {.kernel = {kernel, w, status}};
  CHECK_EQUAL(launch(w->model->heap, &l, w->device->index, w->first, w->end, w->write), 0);
  CHECK(l.request.event);
  int found = hmm_violation_of(w->model->heap->pager, l.request.number, violation);
  fake_wait((void *)(uintptr_t)l.request.event);
  return found;
}

// ---- of one player

static void run_work(struct work *w) {
  struct hmm_violation violation;
  for (uint64_t page = w->first; page < w->end; page++) pthread_rwlock_rdlock(&w->model->used[page]);
  CHECK(!launch_work(w, 0, &violation));
  for (uint64_t page = w->first; page < w->end; page++) {
    if (w->write) w->model->contents[page][w->part] = w->value;
    pthread_rwlock_unlock(&w->model->used[page]);
  }
}

static void look(struct model *m, uint64_t page, uint64_t part, bool write, bool mapped, unsigned char value) {
  struct heap *h = m->heap;
  unsigned char *bytes = h->alias + page * PAGE + part * PART;
  CHECK_EQUAL(fetch(h, page, page + 1, HMM_PIN | (write ? HMM_EXCLUSIVE : 0) | (mapped ? HMM_MAP : 0)), 0);
  check_part(bytes, m->contents[page][part], m, page, part);
  if (write) memset(bytes, m->contents[page][part] = value, PART);
  unpin(h, page, write);
  CHECK_EQUAL(hmm_wake_device(h->pager, page, page + 1), 0);
}

static void use_own(struct player *p, uint64_t page, unsigned choice, unsigned char value) {
  struct model *m = p->model;
  uint64_t end = page + 1 + value % KERNEL_PAGES;
  struct work w = {m, m->devices[value & 1], p->index, page, end < MANY ? end : MANY, choice < 3, value};
  volatile unsigned char *app = m->heap->app + page * PAGE + p->index * PART;
  if (choice < 5) {
    run_work(&w);
    return;
  }
  pthread_rwlock_rdlock(&m->used[page]);
  if (choice < 8) {
    memset((void *)(uintptr_t)app, m->contents[page][p->index] = value, PART);
  } else if (choice < 12) {
    check_part(app, m->contents[page][p->index], m, page, p->index);
  } else {
    look(m, page, p->index, choice & 1, value & 1, value);
  }
  pthread_rwlock_unlock(&m->used[page]);
}

// ---- of all of a page, which nobody uses

static void refused_there(struct model *m, uint64_t page, unsigned char value, uint64_t kind) {
  struct work w = {m, m->devices[value & 1], 0, page, page + 1, true, value};
  struct hmm_violation violation;
  unsigned char expected[PLAYERS];
  memcpy(expected, m->contents[page], sizeof expected);
  if (kind != HMM_UNWRITABLE) m->contents[page][0] = 0; // it reads zeros
  CHECK(launch_work(&w, 0, &violation));
  CHECK_EQUAL(violation.kind, kind);
  CHECK_EQUAL(violation.page, page);
  memcpy(m->contents[page], expected, sizeof expected);
}

// As RegionChanges does it: the words, what is mapped, its memory; and then another region begins there.
static void replace_region(struct model *m, uint64_t page, unsigned char value) {
  struct heap *h = m->heap;
  uint64_t w;
  do AWAIT(word_state(w = word(h, page)) != TO_HOST);
  while (!change(h, page, &w, word_next(w, UNMAPPED, 0, 0, 0)));
  CHECK_EQUAL(hmm_forbid(h->pager, page, page + 1, 0), 0);
  if (value & 2) refused_there(m, page, value, HMM_OUTSIDE);
  atomic_fetch_and(&h->backed[page / 64], ~(1ULL << page % 64));
  CHECK(!fallocate(h->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(page * PAGE), (off_t)PAGE));
  w = word(h, page);
  CHECK(change(h, page, &w, word_next(w, EMPTY, 0, 0, 0)));
  CHECK_EQUAL(hmm_set_access(h->pager, page, page + 1, 2), 0);
}

static void fail_there(struct model *m, uint64_t page, unsigned char value) {
  struct work w = {m, m->devices[value & 1], 0, page, page + 1, true, value};
  struct hmm_violation violation;
  CHECK(!launch_work(&w, -5, &violation));
  CHECK_EQUAL(hmm_discard(m->heap->pager, page, page + 1, NULL), 0);
}

static void change_all(struct model *m, uint64_t page, unsigned choice, unsigned char value) {
  pthread_rwlock_wrlock(&m->used[page]);
  switch (choice) {
  case 0: CHECK_EQUAL(hmm_discard(m->heap->pager, page, page + 1, NULL), 0); break;
  case 1: replace_region(m, page, value); break;
  case 2: fail_there(m, page, value); break;
  default:
    protect(m->heap, page, choice & 1);
    if (value & 2) refused_there(m, page, value, choice & 1 ? HMM_UNWRITABLE : HMM_UNREADABLE);
    protect(m->heap, page, 2);
  }
  if (choice <= 2) memset(m->contents[page], 0, sizeof m->contents[page]);
  pthread_rwlock_unlock(&m->used[page]);
}

// ---- of anybody

static void use_any(struct model *m, uint64_t page, unsigned choice, unsigned char value) {
  struct heap *h = m->heap;
  const struct device *d = m->devices[value & 1];
  uint64_t end = page + 1 + value / 2 % 40 < MANY ? page + 1 + value / 2 % 40 : MANY, some[MANY];
  unsigned char any;
  switch (choice) {
  case 0: CHECK_EQUAL(hmm_take_home(h->pager, d->index, page, end), 0); break;
  case 1: CHECK_EQUAL(fetch(h, page, end, value & HMM_EXCLUSIVE), 0); break;
  case 2: CHECK_EQUAL(hmm_set_quota(h->pager, d->index, page, end, LEAST + value % 40), 0); break;
  case 3: CHECK_EQUAL(hmm_set_quota(h->pager, d->index, 0, MANY, value & 2 ? MANY : LEAST), 0); break;
  case 4:
    for (uint64_t i = 0; i < 8; i++) some[i] = (page + i * value) % MANY;
    CHECK_EQUAL(hmm_go_first(h->pager, d->index, some, 8), 0);
    break;
  case 5: CHECK_EQUAL(hmm_set_along(h->pager, d->index, value % 9), 0); break;
  case 6: CHECK(hmm_there(h->pager, d->index, some, MANY) <= d->budget); break;
  default: touch_read(h, page, &any); // whatever is allowed
  }
}

static void *play(void *arg) {
  struct player *p = arg;
  for (int i = 0; i < p->operations; i++) {
    uint64_t r = next_random(&p->random), page = r % MANY;
    unsigned kind = (unsigned)(r >> 32) % 16, choice = (unsigned)(r >> 16) % 16;
    unsigned char value = (unsigned char)(r >> 40);
    if (kind < 9) use_own(p, page, choice, value);
    else if (kind < 14) use_any(p->model, page, choice % 8, value);
    else change_all(p->model, page, choice % 5, value);
  }
  return NULL;
}

static void nothing_is_left(struct device *d) {
  CHECK_EQUAL(hmm_set_quota(d->heap->pager, d->index, 0, MANY, LEAST), 0);
  CHECK(there(d) <= LEAST);
  AWAIT(nothing_left_in(d->heap->pager, d->index));
  CHECK_EQUAL(there(d), 0);
}

static void play_with(const struct shape *shape, uint64_t budget, uint64_t more) {
  struct model m = {.seed = 0x9e3779b97f4a7c15 * (budget + more + shape->rung)};
  struct device first, second;
  struct player players[PLAYERS];
  pthread_t threads[PLAYERS];
  if (!(m.devices[0] = open_device_with(shape, MANY, budget, &first))) return;
  m.devices[1] = beside(&first, budget + more, &second);
  m.heap = first.heap;
  for (uint64_t page = 0; page < MANY; page++) pthread_rwlock_init(&m.used[page], NULL);
  for (uint64_t page = 0; page < MANY; page += 33) m.heap->region_starts[page] = 1;
  for (uint64_t i = 0; i < PLAYERS; i++) {
    players[i] = (struct player){&m, i, m.seed + i * 77, shape->quick ? 700 : 6000};
    threads[i] = start_thread(play, &players[i]);
  }
  for (int i = 0; i < PLAYERS; i++) pthread_join(threads[i], NULL);
  for (uint64_t page = 0; page < MANY; page++) {
    for (uint64_t part = 0; part < PLAYERS; part++) check_part(m.heap->app + page * PAGE + part * PART, m.contents[page][part], &m, page, part);
    pthread_rwlock_destroy(&m.used[page]);
  }
  for (int i = 0; i < 2; i++) nothing_is_left(m.devices[i]);
  close_device(&first);
  free_range(&second);
}

static void play_with_devices_that_fault(const struct shape *shape) {
  play_with(shape, LEAST, 0);
  play_with(shape, LEAST + 7, MANY);
}

const struct test faulting_model_tests[] = {{"play_with_devices_that_fault", play_with_devices_that_fault, NEEDS_TRAP | ONE_WAY}, {0}};
