// model_test.c - random operations of several threads against the simplest model there is: one byte per page, with which the whole page is filled.
//
// A page's contents belong to one thread, which alone changes and checks them: by touches, kernels, views and discarding. All else is done by everybody to all pages:
// moving them to either device, fetching, giving host memory back, relocating, reading. The seed of a failure is printed; threads are not repeatable, their choices are.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PAGES 24
#define THREADS 4

struct model {
  struct heap *heap;
  pthread_rwlock_t host_lock; // the host lock of the Java part: exclusive for whoever insists
  unsigned char contents[PAGES];
};

struct player {
  struct model *model;
  uint64_t index, random;
  int operations;
};

struct work { // of a kernel
  struct model *model;
  uint64_t page;
  unsigned device;
  bool write;
  unsigned char value;
};

static void check_filled(const volatile unsigned char *bytes, unsigned char value, const struct work *w) {
  for (size_t i = 0; i < PAGE; i++) {
    if (bytes[i] != value) fprintf(stderr, "page %lu byte %zu\n", w->page, i);
    CHECK_EQUAL(bytes[i], value);
  }
}

static void kernel(void *arg) {
  struct work *w = arg;
  unsigned char *bytes = frame(w->model->heap, w->device, w->page);
  check_filled(bytes, w->model->contents[w->page], w);
  if (w->write) memset(bytes, w->value, PAGE);
}

// As Launcher does it: moves and tries the gate, and insists after some losses; a view of somebody else keeps it waiting.
static void run_kernel(struct model *m, struct work *w) {
  struct heap *h = m->heap;
  struct launching l = {.kernel = {kernel, w, 0}};
  for (int losses = 0; !l.request.event; losses++) {
    bool insist = losses > 2;
    if (insist) pthread_rwlock_wrlock(&m->host_lock);
    else pthread_rwlock_rdlock(&m->host_lock);
    pthread_mutex_lock(&h->devices[w->device].lock);
    if (!insist) move_to(h, w->page, w->device, w->write);
    l.request.insist = insist;
    CHECK_EQUAL(launch(h, &l, w->device, w->page, w->page + 1, w->write), 0);
    pthread_mutex_unlock(&h->devices[w->device].lock);
    pthread_rwlock_unlock(&m->host_lock);
  }
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
  if (w->write) m->contents[w->page] = w->value;
}

static void fill(void *arg) {
  struct work *w = arg;
  memset(frame(w->model->heap, w->device, w->page), w->value, PAGE);
}

// A kernel that overwrites the page without looking, and may read another one, which is often not there. If it does not run, the page holds what it held.
static void overwrite(struct model *m, struct work *w, uint64_t other) {
  struct heap *h = m->heap;
  const size_t one = 1;
  struct fake_kernel kernel = {.run = fill, .arg = w};
  struct hmm_use uses[] = {{w->page, w->page + 1, 1, 0}, {other, other + 1, 0, 0}};
  struct hmm_overwrite output;
  struct hmm_launch request = {.device = w->device, .uses = (uint64_t)(uintptr_t)uses, .use_count = other == w->page ? 1 : 2, .queue = (uint64_t)(uintptr_t)h->devices[w->device].queue,
                               .kernel = (uint64_t)(uintptr_t)&kernel, .dimensions = 1, .global = (uint64_t)(uintptr_t)&one, .overwrites = (uint64_t)(uintptr_t)&output, .overwrite_count = 1};
  struct hmm_failure failure;
  pthread_rwlock_rdlock(&m->host_lock);
  pthread_mutex_lock(&h->devices[w->device].lock);
  uint64_t before = word(h, w->page), claim = word_next(before, TO_DEVICE, w->device, word_sharers(before), WRITE_INTENT);
  enum state s = word_state(before);
  bool away = is_away(before) && word_holders(before) != 1u << w->device, here = (s == EMPTY || s == HOST || s == SHARED) && !pinned_against(before, true);
  if (away || (here && change(h, w->page, &before, claim))) { // what others have the gate claims
    if (here) forbid_claimed(h, w->page, true);
    CHECK_EQUAL(hmm_await(h->pager, w->device, w->page, w->page + 1, 0), 0); // an older kernel may read the frame
    if (!(word_sharers(before) >> w->device & 1)) memset(frame(h, w->device, w->page), ~m->contents[w->page], PAGE);
    output = (struct hmm_overwrite){w->page, away ? before : claim, before};
    CHECK_EQUAL(hmm_launch_enter(h->pager, &request, &failure), 0);
  }
  pthread_mutex_unlock(&h->devices[w->device].lock);
  pthread_rwlock_unlock(&m->host_lock);
  if (!request.event) return;
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)request.event), 0);
  m->contents[w->page] = w->value;
}

static void use_own(struct player *p, uint64_t page, unsigned choice, unsigned char value) {
  struct model *m = p->model;
  struct heap *h = m->heap;
  if (h->shape->rung == HMM_CHECKED && (choice == 2 || choice == 3)) choice += 2; // a view instead of a touch
  volatile unsigned char *app = h->app + page * PAGE;
  struct work w = {m, page, (unsigned)value % DEVICES, choice == 1, value};
  switch (choice) {
  case 0:
  case 1: run_kernel(m, &w); break;
  case 2:
    memset((void *)(uintptr_t)app, value, PAGE);
    m->contents[page] = value;
    break;
  case 3: check_filled(app, m->contents[page], &w); break;
  case 4: // a view that writes
    CHECK_EQUAL(fetch(h, page, page + 1, HMM_PIN | HMM_EXCLUSIVE | (value & 1 ? HMM_MAP : 0)), 0);
    check_filled(h->alias + page * PAGE, m->contents[page], &w);
    memset(h->alias + page * PAGE, value, PAGE);
    m->contents[page] = value;
    unpin(h, page, true);
    break;
  case 5: // a view that reads
    CHECK_EQUAL(fetch(h, page, page + 1, HMM_PIN | (value & 1 ? HMM_MAP : 0)), 0);
    check_filled(h->alias + page * PAGE, m->contents[page], &w);
    unpin(h, page, false);
    break;
  case 6: overwrite(m, &w, value % PAGES); break;
  default:
    CHECK_EQUAL(hmm_discard(h->pager, page, page + 1, NULL), 0);
    m->contents[page] = 0;
  }
}

// A move whose launch does not happen: what has come from the host goes back to it, unless somebody has it by then. The device's lock is held, so nothing runs there meanwhile.
static void move_and_undo(struct model *m, uint64_t page, unsigned device, bool write) {
  struct heap *h = m->heap;
  uint64_t launched = hmm_launched(h->pager, device), before = word(h, page), claim = word_next(before, TO_DEVICE, device, word_sharers(before), write ? WRITE_INTENT : 0);
  enum state s = word_state(before);
  if (!(s == EMPTY || s == HOST || s == SHARED) || usable_on(before, device, write) || pinned_against(before, write)) return;
  uint64_t expected = before;
  if (!change(h, page, &expected, claim)) return;
  forbid_claimed(h, page, write);
  copy_in(h, page, device);
  uint64_t committed = word_next(claim, DEVICE, device, 0, 0);
  if (!commit(h, page, device, claim)) return;
  sched_yield();
  CHECK(hmm_undo(h->pager, device, launched, 0, 1, &page, &committed, &before) >= 0);
}

// The same of a launch that insists: one page comes, from wherever it is, and another has no frame to come to.
static void insist_in_vain(struct model *m, uint64_t page, unsigned device, bool write) {
  struct heap *h = m->heap;
  const size_t one = 1;
  struct fake_kernel kernel = {.run = fill, .arg = NULL};
  struct hmm_use uses[] = {{page, page + 1, write, 0}, {PAGES, PAGES + 1, write, 0}};
  struct hmm_move moves[2] = {{0, 0}, {0, 0}};
  struct hmm_launch request = {.device = device, .uses = (uint64_t)(uintptr_t)uses, .use_count = 2, .queue = (uint64_t)(uintptr_t)h->devices[device].queue, .insist = 1,
                               .kernel = (uint64_t)(uintptr_t)&kernel, .dimensions = 1, .global = (uint64_t)(uintptr_t)&one, .moves = (uint64_t)(uintptr_t)moves};
  struct hmm_failure failure;
  uint64_t launched = hmm_launched(h->pager, device);
  CHECK_EQUAL(hmm_launch_enter(h->pager, &request, &failure), 0);
  CHECK(!request.event);
  sched_yield();
  if (request.moved) CHECK(hmm_undo(h->pager, device, launched, 0, 1, &page, &moves[0].committed, &moves[0].before) >= 0);
}

static void use_any(struct model *m, uint64_t page, unsigned choice, unsigned char value) {
  struct heap *h = m->heap;
  unsigned device = value % DEVICES;
  uint64_t end = page + 1 + value % 5 < PAGES ? page + 1 + value % 5 : PAGES;
  if (choice == 10) pthread_rwlock_wrlock(&m->host_lock);
  else pthread_rwlock_rdlock(&m->host_lock);
  switch (choice) {
  case 0:
  case 1:
    pthread_mutex_lock(&h->devices[device].lock);
    move_to(h, page, device, choice);
    pthread_mutex_unlock(&h->devices[device].lock);
    break;
  case 2: CHECK_EQUAL(fetch(h, page, end, value & (HMM_EXCLUSIVE | HMM_MAP)), 0); break;
  case 3:
    pthread_mutex_lock(&h->devices[device].lock); // nothing that was moved there is going to be undone
    CHECK(hmm_release_host(h->pager, device, page, end) >= 0);
    pthread_mutex_unlock(&h->devices[device].lock);
    break;
  case 4:
    pthread_mutex_lock(&h->devices[device].lock);
    int32_t now = extents_get(&h->devices[device].frame_of_page, page) - 1;
    CHECK(relocate(h, device, page, page + 1, (uint64_t)(now <= PAGES ? now + PAGES + 1 : now - PAGES - 1), NULL) >= 0);
    pthread_mutex_unlock(&h->devices[device].lock);
    break;
  case 5: CHECK_EQUAL(hmm_await(h->pager, device, page, end, value & 2), 0); break;
  case 6:
  case 7:
    pthread_mutex_lock(&h->devices[device].lock);
    int came = cross(h, page, end, device, choice == 7);
    CHECK(came >= 0 || (came == -ENOTSUP && h->shape->way == COMMANDS));
    pthread_mutex_unlock(&h->devices[device].lock);
    break;
  case 8:
    pthread_mutex_lock(&h->devices[device].lock);
    drop_peer(h, page, device);
    pthread_mutex_unlock(&h->devices[device].lock);
    break;
  case 10:
  case 11:
    pthread_mutex_lock(&h->devices[device].lock);
    if (choice == 10) insist_in_vain(m, page, device, value & 64);
    else move_and_undo(m, page, device, value & 64);
    pthread_mutex_unlock(&h->devices[device].lock);
    break;
  default: break;
  }
  pthread_rwlock_unlock(&m->host_lock);
  unsigned char any;
  if (choice == 9) touch_read(h, page, &any); // without any lock
}

static void *play(void *arg) {
  struct player *p = arg;
  for (int i = 0; i < p->operations; i++) {
    uint64_t r = next_random(&p->random);
    uint64_t page = r % PAGES;
    if (r >> 32 & 1) use_any(p->model, page, (unsigned)(r >> 16) % 12, (unsigned char)(r >> 40));
    else use_own(p, page - page % THREADS + p->index, (unsigned)(r >> 16) % 8, (unsigned char)(r >> 40));
  }
  return NULL;
}

static void play_against_the_model(const struct shape *shape) {
  struct model m = {.heap = open_heap(shape, PAGES + 1, 4)};
  struct player players[THREADS];
  pthread_t threads[THREADS];
  pthread_rwlock_init(&m.host_lock, NULL);
  for (unsigned i = 0; i < DEVICES; i++) extents_set(&m.heap->devices[i].frame_of_page, PAGES, 0); // for what never comes
  for (uint64_t i = 0; i < THREADS; i++) {
    players[i] = (struct player){&m, i, 0x9e3779b97f4a7c15 * (i + 1 + shape->rung), shape->quick ? 1000 : 4000};
    threads[i] = start_thread(play, &players[i]);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  bool checked = shape->rung == HMM_CHECKED;
  if (checked) CHECK_EQUAL(fetch(m.heap, 0, PAGES, 0), 0);
  for (uint64_t page = 0; page < PAGES; page++) {
    check_filled((checked ? m.heap->alias : m.heap->app) + page * PAGE, m.contents[page], &(struct work){.page = page});
  }
  pthread_rwlock_destroy(&m.host_lock);
  close_heap(m.heap);
}

const struct test model_tests[] = {{"play_against_the_model", play_against_the_model, 0}, {0}};
