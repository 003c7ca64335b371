// insist_test.c - a launch that moves its last pages itself: from every state, against everybody who wants them, and what keeps it out.
#include "heap.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define PAGES 64

static int insist(struct heap *h, struct launching *l, unsigned device, uint64_t first, uint64_t end, bool write) {
  l->request.insist = 1;
  return launch(h, l, device, first, end, write);
}

// Page by page as `mixed` in fetch_test.c has it, for device 0: empty, read once, host, shared with it, with the other, on it, on the other, claimed three ways.
static const unsigned char contents[] = {0, 0, 12, 13, 14, 25, 26, 17, 18, 19};

static struct heap *mixed(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  expect(h, 1, 0);
  for (uint64_t page = 2; page < 10; page++) put(h, page, (unsigned char)(10 + page));
  CHECK(move_to(h, 3, 0, false) && move_to(h, 4, 1, false) && move_to(h, 5, 0, true) && move_to(h, 6, 1, true) && move_to(h, 9, 0, false));
  CHECK(claim_for(h, 7, 0, false) && claim_for(h, 8, 1, true) && claim_for(h, 9, 1, true));
  forbid_claimed(h, 7, false);
  forbid_claimed(h, 8, true);
  forbid_claimed(h, 9, true);
  fill_frame(h, 0, 5, 25);
  fill_frame(h, 1, 6, 26);
  return h;
}

struct look {
  struct heap *heap;
  bool write;
};

static void look_at_frames(void *arg) {
  struct look *l = arg;
  for (uint64_t page = 0; page < 10; page++) {
    CHECK_EQUAL(frame(l->heap, 0, page)[MIDDLE], contents[page]);
    if (l->write) fill_frame(l->heap, 0, page, (unsigned char)(100 + page));
  }
}

static void pages_come_from_everywhere(const struct shape *shape) {
  for (int write = 0; write < 2; write++) {
    struct heap *h = mixed(shape);
    struct look look = {h, write};
    int32_t regions[] = {41, 42};
    struct hmm_use windows[] = {{0, 5, 0, 0}, {5, 10, 0, 0}};
    struct launching l = {.kernel = {look_at_frames, &look, 0}, .request = {.region_ids = (uint64_t)(uintptr_t)regions, .windows = (uint64_t)(uintptr_t)windows, .window_count = 2}};
    CHECK_EQUAL(insist(h, &l, 0, 0, 10, write), 0);
    CHECK(l.request.event);
    CHECK_EQUAL(l.request.moved, write ? 9 : 7); // all but those that were usable
    CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
    for (uint64_t page = 0; page < 10; page++) {
      uint64_t w = word(h, page);
      CHECK_EQUAL(word_state(w), write || page == 5 ? DEVICE : page == 9 ? TO_DEVICE : page == 6 && shape->way != COMMANDS ? PEERS : SHARED);
      if (page == 4 && !write) CHECK_EQUAL(word_sharers(w), 3);
      if (page == 6 && !write) CHECK_EQUAL(word_sharers(w), 3);
      if (page == 0 || page == 2 || page == 6) CHECK_EQUAL(extents_get(&h->devices[0].region_of_frame, page), page < 5 ? 41 : 42);
      expect(h, page, write ? (unsigned char)(100 + page) : contents[page]);
      put(h, page, 50); // and is noticed
      CHECK_EQUAL(state(h, page), HOST);
    }
    CHECK_EQUAL(extents_get(&h->devices[0].region_of_frame, 10), 0);
    close_heap(h);
  }
}

static void what_cannot_be_moved_is_missing(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  for (int i = 0; i < 5; i++) {
    struct launching l = {0};
    for (uint64_t page = 0; page < 4; page++) put(h, page, 7);
    uint64_t w = word(h, 2);
    if (i == 0) CHECK_EQUAL(fetch(h, 2, 3, HMM_PIN), 0);
    if (i == 1) protect(h, 2, 1);
    if (i == 2) set_word(h, 2, word_next(w, POISONED, 0, 0, 0));
    if (i == 3) set_word(h, 2, word_next(w, UNMAPPED, 0, 0, 0));
    if (i == 4) extents_set(&h->devices[0].frame_of_page, 2, 0);
    CHECK_EQUAL(insist(h, &l, 0, 0, 4, true), 0);
    CHECK_EQUAL(l.request.event, 0);
    CHECK_EQUAL(l.request.missing, 2);
    CHECK_EQUAL(hmm_used(h->pager, 0, NULL, 0), 0);
    if (i == 0) unpin(h, 2, false);
    if (i == 1) protect(h, 2, 2);
    if (i == 2 || i == 3) set_word(h, 2, word_next(word(h, 2), HOST, 0, 0, 0));
    extents_set(&h->devices[0].frame_of_page, 2, 3);
    for (uint64_t page = 0; page < 4; page++) expect(h, page, 7);
  }
  close_heap(h);
}

static void a_failed_move_leaves_the_page(const struct shape *shape) {
  if (shape->way == REACHABLE) return; // no commands there
  struct heap *h = mixed(shape);
  struct launching l = {0};
  fake_fail(WRITES(shape), -4, 0, 1);
  CHECK_EQUAL(insist(h, &l, 0, 2, 3, true), -EIO);
  CHECK(l.failure.page == 2 && l.failure.status == -4 && l.failure.call == HMM_CALL_WRITE && l.failure.device == 0);
  CHECK_EQUAL(state(h, 2), HOST);
  fake_fail(READS(shape), -5, 0, 1);
  CHECK_EQUAL(insist(h, &l, 0, 6, 7, true), -EIO);
  CHECK(l.failure.page == 6 && l.failure.status == -5 && l.failure.call == HMM_CALL_READ && l.failure.device == 1);
  CHECK_EQUAL(state(h, 6), DEVICE);
  fake_fail_commands(-5, 1); // it is enqueued, and ends badly
  CHECK_EQUAL(insist(h, &l, 0, 0, 1, false), -EIO);
  CHECK_EQUAL(word(h, 0) & 0xf, EMPTY);
  for (uint64_t page = 0; page < 10; page++) expect(h, page, contents[page]);
  close_heap(h);
}

// Nothing ran: with what insisting says, every page that the host had goes back to it, and nobody reads its frame. What came from another device stays, as it came: the host need not have it.
static void what_was_moved_for_nothing_goes_back(const struct shape *shape) {
  for (int write = 0; write < 2; write++) {
    for (int refused = 0; refused < 2; refused++) { // by the driver, or by a view of the last page
      struct heap *h = mixed(shape);
      struct hmm_move moves[10] = {0};
      struct launching l = {.request = {.moves = (uint64_t)(uintptr_t)moves}};
      uint64_t pages[10], committed[10], before[10], n = 0, end = refused ? 9 : 10;
      if (refused) fake_fail(HMM_CL_ENQUEUE_KERNEL, -54, 0, 1);
      else set_word(h, 9, word_pin(word(h, 9), true));
      CHECK_EQUAL(insist(h, &l, 0, 0, end, write), refused ? -EIO : 0);
      CHECK_EQUAL(l.request.event, 0);
      for (uint64_t page = 0; page < 10; page++) {
        if (!moves[page].committed) continue;
        CHECK(same_version(word(h, page), moves[page].committed));
        if (page != 6) fill_frame(h, 0, page, 0x77);
        pages[n] = page;
        committed[n] = moves[page].committed;
        before[n++] = moves[page].before;
      }
      CHECK_EQUAL(n, l.request.moved);
      CHECK_EQUAL(n, write ? 8 : 7);
      CHECK_EQUAL(hmm_undo(h->pager, 0, 0, 0, n, pages, committed, before), n - 1);
      if (!refused) unpin(h, 9, true);
      for (uint64_t page = 0; page < 10; page++) {
        if (page != 5 && page != 6) CHECK(state(h, page) != DEVICE);
        if (page < 2) CHECK_EQUAL(state(h, page), EMPTY);
        expect(h, page, contents[page]);
      }
      close_heap(h);
    }
  }
}

// ---- against everybody

#define RIVALS 4
#define CONTESTED 6

// Two counters in every page: one only the processor raises, one only kernels do. Whoever works on a stale copy loses counts of the other.
static _Atomic uint32_t *counter(unsigned char *page, int which) { return (_Atomic uint32_t *)(void *)(page + (which ? PAGE - 64 : 64)); }

struct contest {
  struct heap *heap;
  _Atomic bool over;
  _Atomic uint32_t raised[CONTESTED];
};

static void *raise_on_host(void *arg) {
  struct contest *c = arg;
  for (uint64_t i = 0; !c->over; i++) {
    atomic_fetch_add(counter((unsigned char *)(uintptr_t)c->heap->app + i % CONTESTED * PAGE, 0), 1);
    c->raised[i % CONTESTED]++;
  }
  return NULL;
}

static void *fetch_all(void *arg) {
  struct contest *c = arg;
  for (uint64_t i = 0; !c->over; i++) CHECK_EQUAL(fetch(c->heap, 0, CONTESTED, i % 2 ? HMM_EXCLUSIVE : HMM_MAP), 0);
  return NULL;
}

static void raise_on_device(void *arg) {
  for (uint64_t page = 0; page < CONTESTED; page++) {
    _Atomic uint32_t *at = counter(frame(arg, 0, page), 1);
    atomic_store(at, atomic_load(at) + 1); // the kernel has the page alone
  }
}

static void insisting_gets_through(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct contest c = {.heap = h};
  pthread_t threads[RIVALS + 1];
  uint32_t launches = shape->quick ? 50 : 200;
  for (int i = 0; i < RIVALS; i++) threads[i] = start_thread(raise_on_host, &c);
  threads[RIVALS] = start_thread(fetch_all, &c);
  for (uint32_t i = 0; i < launches; i++) {
    struct launching l = {.kernel = {raise_on_device, h, 0}};
    CHECK_EQUAL(insist(h, &l, 0, 0, CONTESTED, true), 0);
    CHECK(l.request.event);
    fake_wait((void *)(uintptr_t)l.request.event);
  }
  c.over = true;
  for (int i = 0; i < RIVALS + 1; i++) pthread_join(threads[i], NULL);
  for (uint64_t page = 0; page < CONTESTED; page++) {
    CHECK_EQUAL(atomic_load(counter((unsigned char *)(uintptr_t)h->app + page * PAGE, 0)), c.raised[page]);
    CHECK_EQUAL(atomic_load(counter((unsigned char *)(uintptr_t)h->app + page * PAGE, 1)), launches);
  }
  close_heap(h);
}

// A fetch of several batches that waits for a launch, and another launch that insists on pages of two of the batches.
static void *fetch_long(void *arg) {
  struct heap *h = arg;
  CHECK_EQUAL(fetch(h, 0, h->pages, HMM_EXCLUSIVE), 0);
  return NULL;
}

struct insisting {
  struct heap *heap;
  struct launching launching;
};

static void *insist_on_many(void *arg) {
  struct insisting *i = arg;
  CHECK_EQUAL(insist(i->heap, &i->launching, 0, 0, 1031, true), 0);
  return NULL;
}

static void a_long_fetch_gives_way(const struct shape *shape) {
  struct heap *h = open_heap(shape, 2048, 1);
  for (uint64_t page = 0; page < h->pages; page++) {
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(page % 250));
  }
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, 1024, 1025, true);
  pthread_t fetching = start_thread(fetch_long, h);
  AWAIT(word_state(word(h, 1024)) == TO_HOST); // behind the first batch, which is claimed still
  struct insisting insisting = {.heap = h};
  pthread_t insists = start_thread(insist_on_many, &insisting);
  AWAIT(hmm_used(h->pager, 0, NULL, 0) == 2);
  let_go(&k);
  pthread_join(insists, NULL);
  CHECK(insisting.launching.request.event);
  fake_wait((void *)(uintptr_t)insisting.launching.request.event);
  pthread_join(fetching, NULL);
  for (uint64_t page = 0; page < h->pages; page++) CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], page % 250);
  close_heap(h);
}

// ---- against another device

enum { FIRST, SLOW, SECOND };

struct pair {
  struct heap *heap;
  unsigned char first, second;
};

static void read_pair(void *arg) {
  struct pair *pair = arg;
  pair->first = frame(pair->heap, 0, FIRST)[MIDDLE];
  pair->second = frame(pair->heap, 0, SECOND)[MIDDLE];
}

static void write_pair(void *arg) {
  fill_frame(arg, 1, FIRST, 9);
  fill_frame(arg, 1, SECOND, 9);
}

struct insisting_reader {
  struct heap *heap;
  struct pair seen;
  struct hmm_launch request;
};

static int launch_uses(struct heap *h, struct hmm_launch *request, struct fake_kernel *kernel, const struct hmm_use *uses, uint64_t count) {
  static const size_t one = 1;
  request->uses = (uint64_t)(uintptr_t)uses;
  request->use_count = count;
  if (!request->queue) request->queue = (uint64_t)(uintptr_t)h->devices[request->device].queue;
  request->kernel = (uint64_t)(uintptr_t)kernel;
  request->dimensions = 1;
  request->global = (uint64_t)(uintptr_t)&one;
  struct hmm_failure failure;
  return hmm_launch_enter(h->pager, request, &failure);
}

static void *insist_on_reading(void *arg) {
  struct insisting_reader *r = arg;
  const struct hmm_use uses[] = {{FIRST, FIRST + 1, 0, 0}, {SLOW, SLOW + 1, 0, 0}, {SECOND, SECOND + 1, 0, 0}};
  struct fake_kernel kernel = {.run = read_pair, .arg = &r->seen};
  CHECK_EQUAL(launch_uses(r->heap, &r->request, &kernel, uses, 3), 0);
  CHECK(r->request.event);
  fake_wait((void *)(uintptr_t)r->request.event);
  return NULL;
}

// It has the first page of a pair and waits for another page; meanwhile a kernel of the other device writes the pair. What it reads is the pair from before or from after.
static void what_is_read_is_of_one_moment(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  for (uint64_t page = FIRST; page <= SECOND; page++) put(h, page, 5);
  CHECK(move_to(h, FIRST, 0, false) && move_to(h, SLOW, 1, true));
  struct stopped_kernel slow;
  launch_stopped(h, &slow, 1, SLOW, SLOW + 1, true);
  struct insisting_reader reader = {.heap = h, .seen = {.heap = h}, .request = {.insist = 1}};
  pthread_t insists = start_thread(insist_on_reading, &reader);
  AWAIT(word_state(word(h, SLOW)) == TO_HOST);

  CHECK(move_to(h, FIRST, 1, true) && move_to(h, SECOND, 1, true));
  void *queue = fake_queue(); // the device's own stands behind the slow kernel
  const struct hmm_use both[] = {{FIRST, FIRST + 1, 1, 0}, {SECOND, SECOND + 1, 1, 0}};
  struct hmm_launch writing = {.device = 1, .queue = (uint64_t)(uintptr_t)queue};
  struct fake_kernel kernel = {.run = write_pair, .arg = h};
  CHECK_EQUAL(launch_uses(h, &writing, &kernel, both, 2), 0);
  CHECK(writing.event);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)writing.event), 0);

  let_go(&slow);
  pthread_join(insists, NULL);
  CHECK_EQUAL(reader.seen.first, reader.seen.second);
  CHECK_EQUAL(reader.seen.first, 9);
  CHECK_EQUAL(reader.request.moved, 3);
  CHECK_EQUAL(state(h, FIRST), shape->way == COMMANDS ? SHARED : PEERS);
  CHECK_EQUAL(word_sharers(word(h, FIRST)), 3);
  fake_release_queue(queue);
  close_heap(h);
}

// ---- against a kernel that takes long

static void look_at_both(void *arg) {
  CHECK_EQUAL(frame(arg, 0, FIRST)[MIDDLE], 5);
  CHECK_EQUAL(frame(arg, 0, SLOW)[MIDDLE], 44);
}

// It is withdrawn, its claim given back, and a touch behind that claim ends in time. Nothing is lost: when the kernel has ended, it may insist again.
static void a_long_kernel_is_waited_for_in_time(const struct shape *shape) {
  for (int write = 0; write < 2; write++) {
    struct heap *h = open_heap_with_touch_timeout(shape, PAGES, 20000000);
    put(h, FIRST, 5);
    CHECK(move_to(h, SLOW, 1, true));
    struct stopped_kernel slow;
    launch_stopped(h, &slow, 1, SLOW, SLOW + 1, true);
    struct toucher behind;
    start_toucher(&behind, h, SLOW, false, 0); // or before it
    struct launching l = {0};
    CHECK_EQUAL(insist(h, &l, 0, FIRST, SLOW + 1, write), 0);
    join_toucher(&behind);
    CHECK_EQUAL(behind.error, SIGBUS);
    CHECK_EQUAL(l.request.event, 0);
    CHECK_EQUAL(l.request.missing, SLOW);
    CHECK_EQUAL(l.request.moved, 1);
    CHECK_EQUAL(hmm_used(h->pager, 0, NULL, 0), 0);
    CHECK(state(h, SLOW) == DEVICE && word_device(word(h, SLOW)) == 1);
    fill_frame(h, 1, SLOW, 44);
    let_go(&slow);
    struct launching again = {.kernel = {look_at_both, h, 0}};
    while (!again.request.event) CHECK_EQUAL(insist(h, &again, 0, FIRST, SLOW + 1, write), 0); // the end may come late
    CHECK_EQUAL(fake_wait((void *)(uintptr_t)again.request.event), 0);
    expect(h, FIRST, 5);
    expect(h, SLOW, 44);
    close_heap(h);
  }
}

const struct test insist_tests[] = {
    {"pages_come_from_everywhere", pages_come_from_everywhere, 0},
    {"what_cannot_be_moved_is_missing", what_cannot_be_moved_is_missing, ONE_WAY},
    {"a_failed_move_leaves_the_page", a_failed_move_leaves_the_page, 0},
    {"what_was_moved_for_nothing_goes_back", what_was_moved_for_nothing_goes_back, 0},
    {"insisting_gets_through", insisting_gets_through, NEEDS_TRAP},
    {"a_long_fetch_gives_way", a_long_fetch_gives_way, 0},
    {"what_is_read_is_of_one_moment", what_is_read_is_of_one_moment, 0},
    {"a_long_kernel_is_waited_for_in_time", a_long_kernel_is_waited_for_in_time, NEEDS_TRAP},
    {0},
};
